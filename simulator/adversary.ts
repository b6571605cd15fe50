/**
 * The forger: has the certificate of an organisation, so that it can talk to the hub in its name, but not its signing
 * key. On seeing an announcement it hurries to contribute an update of its own before the organisation does.
 */

import { signEnvelope } from '../src/base/envelope.ts'
import type { OrganisationId } from '../src/base/ids.ts'
import { encodeUpdate } from '../src/learning/update-file.ts'
import { expectedStages } from '../src/learning/stages.ts'
import type { RoundAnnouncement } from '../src/learning/messages.ts'
import { outlineOf } from '../src/models/model.ts'
import type { Hub } from '../src/node/hub.ts'
import type { Mail } from '../src/node/ports.ts'
import { sha256Hex } from '../src/base/hash.ts'
import type { Cluster } from './cluster.ts'
import { createLine } from './fakes/network.ts'
import { createProcess } from './fakes/process.ts'
import { FEDERATION, simulatedSecret } from './keys.ts'

/** Sends a forged contribution for each announcement among the letters that an organisation is about to get. */
export function forge(cluster: Cluster, victim: OrganisationId, letters: readonly Mail[]): void {
  if (!cluster.chaos() || cluster.scheduler.random.uniform() >= cluster.plan.forgery) return
  for (const { envelope } of letters)
    if (envelope.header.type === 'round-announced') void contribute(cluster, victim, envelope.body as RoundAnnouncement)
}

async function contribute(cluster: Cluster, victim: OrganisationId, announcement: RoundAnnouncement): Promise<void> {
  const { scheduler, conditions, kernels } = cluster
  const process = createProcess(scheduler, 'forger')
  const { acknowledged: _, ...silent } = conditions
  const line = createLine<Hub>(process, victim, silent)
  const { layout, parameterCount } = outlineOf(announcement.config.model, kernels)
  const noise = Float32Array.from({ length: parameterCount }, () => scheduler.random.normal() * 0.1)
  const bytes = encodeUpdate(noise, layout, announcement.base_model)
  const digest = sha256Hex(bytes)
  try {
    await line.call('upload', digest, (hub) => hub.ports.blobs.uploadChunk(digest, bytes.length, 0, once(bytes)))
    await line.call('deliver forgery', digest, (hub) =>
      hub.receive(forged(victim, announcement, { digest, size: bytes.length }, scheduler.now()), { peer: victim }),
    )
    scheduler.trace('forger', `was believed to be ${victim}`)
  } catch (error) {
    scheduler.trace('forger', `was refused: ${String(error)}`)
  }
}

async function* once(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes
}

function forged(
  victim: OrganisationId,
  announcement: RoundAnnouncement,
  blob: { digest: string; size: number },
  now: number,
) {
  const issuedAt = Math.floor(now)
  const header = {
    type: 'contribution',
    id: `forged-${announcement.round_id}-${victim}`,
    from: victim,
    to: 'hub' as const,
    federation: FEDERATION,
    issuedAt,
    expiresAt: issuedAt + 600_000,
  }
  const gradient = {
    blob,
    base_model: announcement.base_model,
    sample_count: 50,
    stages: expectedStages(announcement.config),
    metrics: {},
    data_sources: [],
  }
  const body = { round_id: announcement.round_id, org_id: victim, encrypted_gradient: gradient }
  return signEnvelope(header, body, simulatedSecret('the forger'))
}
