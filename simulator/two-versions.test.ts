/**
 * A hub that announces one round in two versions: the victim is asked for its update, everybody else for next to nothing, so
 * that the sum of all is the victim's (Pasquini, Francati and Ateniese 2022). Its letters are signed and complete.
 */

import { beforeAll, describe, expect, it } from 'vitest'
import { signEnvelope } from '../src/base/envelope.ts'
import type { Json } from '../src/base/canonical.ts'
import { organisationId } from '../src/base/ids.ts'
import { digestOf } from '../src/base/hash.ts'
import type { Protection } from '../src/learning/masking-config.ts'
import type { RoundAnnouncement } from '../src/learning/messages.ts'
import type { OpenedRound } from '../src/learning/round-state.ts'
import type { Kernels } from '../src/models/kernels/kernels.ts'
import { loadKernels } from '../src/node/kernels.ts'
import type { HubConnection } from '../src/node/ports.ts'
import { dealForTest, openForTest } from '../src/privacy/homomorphic/paillier/fixtures.ts'
import { type ClusterOptions, runCluster } from './cluster.ts'
import { simulatedSecret } from './keys.ts'
import { type Plan, planOf, undisturbed } from './plan.ts'
import { type Run, stateOf } from './run.ts'

const NAMES = ['bank-a', 'bank-b', 'bank-c', 'bank-d', 'bank-e'].map(organisationId)
const VICTIM = NAMES[2]

let kernels: Kernels
beforeAll(() => {
  kernels = loadKernels()
})

function planFor(protection: Protection): Plan {
  const plan = planOf('two versions')
  return undisturbed({
    ...{ ...plan, departure: null },
    ...{ deadlineMs: 300_000, sealTimeoutMs: 120_000, phaseMs: 60_000 },
    scenario: {
      ...{ ...plan.scenario, organisations: NAMES, rounds: 1, strategy: 'fedavg' as const },
      ...{ proximalMu: 0, clipNorm: null, protection },
    },
  })
}

type Change = (announcement: RoundAnnouncement) => unknown

/** The hub's own letters, signed with its own key, in which the announcement is another. */
const telling =
  (change: Change) =>
  (organisation: string, connection: HubConnection): HubConnection =>
    organisation === VICTIM
      ? connection
      : {
          ...connection,
          async poll(...asked) {
            const mail = await connection.poll(...asked)
            return mail.map((letter) => {
              const { bodyHash: _, ...header } = letter.envelope.header
              if (header.type !== 'round-announced') return letter
              const body = change(structuredClone(letter.envelope.body) as unknown as RoundAnnouncement)
              return { ...letter, envelope: signEnvelope(header, body as Json, simulatedSecret('hub')) }
            })
          },
        }

const told = (change: Change, encryption?: ClusterOptions['encryption']): Promise<Run> =>
  runCluster({
    plan: planFor(encryption === undefined ? 'secagg' : 'paillier'),
    kernels,
    tampering: { connection: telling(change) },
    ...(encryption === undefined ? {} : { encryption }),
  })

const rounds = (run: Run): OpenedRound[] =>
  [...run.hub.tables.streams.keys()]
    .filter((stream) => stream.startsWith('round/'))
    .map((stream) => stateOf(run.hub, stream) as OpenedRound)

/** The sums that the hub found, and the vectors that anybody masked for it. */
const found = (run: Run) => rounds(run).flatMap(({ masked = [] }) => masked)
const reveals = (run: Run) =>
  [...run.hub.tables.envelopes.values()].filter(({ header }) => header.type === 'masking-reveal')

/** Rounds that an organisation knows of. */
const known = (run: Run, name: string): string[] =>
  run.organisations
    .filter((node) => node.name === name)
    .flatMap((node) => [...node.tables.streams.keys()].filter((stream) => stream.startsWith('participant/')))

describe('a hub that announces one round in two versions', () => {
  it('finds the sum of all where it announces one', async () => {
    const run = await told((announcement) => announcement)
    expect(found(run)).toHaveLength(1)
    expect(reveals(run)).toHaveLength(NAMES.length)
  })

  const tinySteps: Change = (one) => ({
    ...one,
    config: { ...one.config, local: { ...one.config.local, learningRate: 1e-30 } },
  })

  it.each<[string, Change]>([
    ['that steps of everybody else have next to no length', tinySteps],
    [
      'that everybody else trains for another training',
      (one) => ({ ...one, training_id: 'other', round_id: 'other-1' }),
    ],
    [
      'that everybody else starts from a model that gives no gradient',
      (one) => ({ ...one, base_model: digestOf('a model that nobody else has') }),
    ],
  ])('gets no sum by saying %s: nobody reveals anything for it', async (_, change) => {
    const run = await told(change)
    expect(found(run)).toEqual([])
    expect(reveals(run)).toEqual([])
  })

  it('gets no sum opened under encryption either', { timeout: 60_000 }, async () => {
    const request = { organisations: NAMES, threshold: 3, levels: 32_767, contributionsMax: NAMES.length }
    const { parameters, shares } = dealForTest(request)
    const key = {
      scheme: openForTest(parameters),
      shares: new Map(shares.map(({ organisation, share }) => [organisation, share])),
    }
    expect(found(await told((announcement) => announcement, key))).toHaveLength(1)
    expect(found(await told(tinySteps, key))).toEqual([])
  })

  it('gets no update masked a second time in a round that is called like a bucket of another', async () => {
    const run = await told((one) => ({ ...one, round_id: `${one.round_id}-b0` }))
    expect(found(run)).toEqual([])
    expect(NAMES.flatMap((name) => known(run, name)).filter((stream) => stream.endsWith('-b0'))).toEqual([])
  })
})
