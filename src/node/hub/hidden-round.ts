/** What rounds of secure aggregation and under encryption have in common at the hub. */

import { EntenteError, fail } from '../../base/errors.ts'
import type { Digest, OrganisationId, RoundId } from '../../base/ids.ts'
import { countLength } from '../../learning/adaptive-clip.ts'
import type { MaskedRound } from '../../learning/masking-config.ts'
import type { RoundEffect, Spoilt } from '../../learning/round-state.ts'
import { togetherSpoilt } from '../../learning/spoilt.ts'
import { vectorLength } from '../../learning/sparsify.ts'
import { outlineOf } from '../../models/model.ts'
import type { Drive } from '../drive.ts'
import type { HubContext } from './identity.ts'

export type OpenMasking = Extract<RoundEffect, { type: 'open-masking' }>

/** Who hides among whom, and how long a vector is. */
export function whereHidden(
  { identity, options }: HubContext,
  { maskingId, task, config, invited }: OpenMasking,
): MaskedRound {
  const length = vectorLength(config, outlineOf(config.model, options.kernels).parameterCount) + countLength(config)
  return { federation: identity.federation, round: maskingId, task, invited, length }
}

/** The round's event; effects stored by earlier versions name nobody. */
export function maskingEnded(bucket: number, { reason, detail, ...rest }: Spoilt & { reason: string; detail: string }) {
  return { type: 'masking-ended', bucket, reason, detail, ...togetherSpoilt([rest]) }
}

/** The operator decides what follows for who lied; the round's record says it too. */
export function warnSpoilt({ options }: HubContext, round: RoundId, found: Spoilt): void {
  const spoilt = togetherSpoilt([found])
  if (Object.keys(spoilt).length > 0)
    options.log?.warn({ round, ...spoilt }, 'shares of this round were false: see who is named')
}

/** What trying again cannot mend ends the round, with its reason. */
export async function orElse<Event>(work: Promise<Event>, failed: (message: string) => Event): Promise<Event> {
  try {
    return await work
  } catch (error) {
    if (!(error instanceof EntenteError) || error.retryable) throw error
    return failed(error.message)
  }
}

/** @throws unknown-round */
export async function requireRound(drive: Drive, round: RoundId): Promise<void> {
  if ((await drive.read(`round/${round}`)) === undefined) fail('unknown-round', `there is no round ${round}`)
}

export interface Joined {
  readonly organisation: OrganisationId
  readonly dataSources: readonly string[]
  readonly at: number
}

/** The round shows who takes part. */
export async function noteJoined(drive: Drive, round: RoundId, joined: Joined, envelopeId: string): Promise<void> {
  const id = `joined/${joined.organisation}/${envelopeId}`
  await drive.dispatch(`round/${round}`, { type: 'joined', ...joined }, { id })
}

/** Bytes of what an organisation names. @throws blob-missing; wrong-shape unless they are as many as are due */
export async function requireBlob({ ports }: HubContext, digest: Digest, due?: number): Promise<number> {
  const size = await ports.blobs.size(digest)
  if (size === undefined) fail('blob-missing', `the blob ${digest} has not been uploaded`, { digest })
  if (due !== undefined && size !== due) fail('wrong-shape', `the vector has ${size} bytes where ${due} are due`)
  return size
}
