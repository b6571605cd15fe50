/**
 * `kill -9` of the hub, of an organisation and of Postgres at every transition of a round. One federation serves all
 * cases, each with a training of its own: the configuration, and with it every model, is the same, and what an earlier
 * training left in the blobs is removed. Masks are drawn anew in each training and once in a round; what they hide is not. A case that fails leaves its federation behind, and the next one gets a new one.
 */

import { afterAll, describe, expect, it } from 'vitest'
import { CONFIG, HIDDEN, startFederation, type TestFederation } from './federation.ts'
import { closeGate, type Transition } from './gate.ts'
import { forgetBlobs, type Outcome, outcomeOf, withoutMasks } from './outcome.ts'

const VICTIMS = ['hub', 'organisation', 'postgres'] as const

type Step = Omit<Transition, 'stream'> & {
  readonly phase: string
  readonly stream: (round: string) => string
}

const round = (id: string): string => `round/${id}`
const participant = (id: string): string => `participant/${id}`
const unmasking = (id: string): string => `unmasking/${id}`
const masking = (id: string): string => `masking/${id}`

/** What the hub is about to store when it is stopped, by the phase that the round is in. */
const AT_HUB: readonly Step[] = [
  { phase: 'being opened', stream: round, event: 'round-opened' },
  { phase: 'announced', stream: round, event: 'announced' },
  { phase: 'collecting', stream: round, event: 'contribution-received', nth: 2 },
  { phase: 'aggregating', stream: round, event: 'aggregated' },
  { phase: 'sealing, a signature has come', stream: () => 'ledger', event: 'block-signed', nth: 2 },
  { phase: 'sealing, the block is signed', stream: round, event: 'sealed' },
  { phase: 'broadcasting', stream: round, event: 'broadcast' },
]

const AT_ORGANISATION: readonly Step[] = [
  { phase: 'announced', stream: participant, event: 'announced' },
  { phase: 'training', stream: participant, event: 'trained' },
  { phase: 'contributing', stream: participant, event: 'contributed' },
  { phase: 'asked to sign', stream: participant, event: 'proposal' },
  { phase: 'signing', stream: participant, event: 'block-signed' },
  { phase: 'receiving the block', stream: () => 'replica', event: 'block-received' },
]

const HIDDEN_AT_HUB: readonly Step[] = [
  { phase: 'opened for masking', stream: unmasking, event: 'opened' },
  { phase: 'collecting keys', stream: unmasking, event: 'keys', nth: 2 },
  { phase: 'collecting shares', stream: unmasking, event: 'shares', nth: 3 },
  { phase: 'collecting masked vectors', stream: unmasking, event: 'vector', nth: 2 },
  { phase: 'collecting signatures of the survivors', stream: unmasking, event: 'agreement', nth: 3 },
  { phase: 'collecting reveals', stream: unmasking, event: 'reveal', nth: 2 },
  { phase: 'unmasking the sum', stream: unmasking, event: 'summed' },
  { phase: 'taking the sum', stream: round, event: 'unmasked' },
]

const HIDDEN_AT_ORGANISATION: readonly Step[] = [
  { phase: 'drawing its seed', stream: masking, event: 'opened' },
  { phase: 'sharing keys', stream: masking, event: 'roster' },
  { phase: 'receiving shares', stream: masking, event: 'inbox' },
  { phase: 'masking', stream: masking, event: 'vector-masked' },
  { phase: 'shown the survivors', stream: masking, event: 'survivors' },
  { phase: 'revealing', stream: masking, event: 'quorum' },
  { phase: 'noting what it revealed for', stream: participant, event: 'masked' },
]

interface Reference {
  readonly federation: TestFederation
  readonly undisturbed: Outcome
  readonly hidden: Outcome
}

let current: Promise<Reference> | undefined
let trainings = 0

async function undisturbedFederation(): Promise<Reference> {
  const federation = await startFederation()
  await federation.startTraining('undisturbed')
  await federation.finish('undisturbed')
  await federation.startTraining('hidden', HIDDEN)
  await federation.finish('hidden')
  return {
    federation,
    undisturbed: await outcomeOf(federation, 'undisturbed'),
    hidden: withoutMasks(await outcomeOf(federation, 'hidden')),
  }
}

async function discard(): Promise<void> {
  const discarded = current
  current = undefined
  await (await discarded)?.federation.close()
}

afterAll(discard)

/** Freezes `at` when it is about to take the step in round 1, kills the victim, and lets everything go on. */
async function killAt(
  at: 'hub' | 'organisation',
  step: Step,
  victim: (typeof VICTIMS)[number],
  config = CONFIG,
): Promise<void> {
  const { federation, undisturbed, hidden } = await (current ??= undisturbedFederation())
  const [organisation = ''] = federation.organisations
  const training = `killed-${++trainings}`
  const roundId = `${training}-1`
  await forgetBlobs(federation)
  const gate = await closeGate(federation.databaseUrl(at === 'hub' ? 'hub' : organisation), {
    ...step,
    stream: step.stream(roundId),
    containing: step.stream('') === step.stream(roundId) ? roundId : '',
  })
  await federation.startTraining(training, config)
  await gate.reached()
  const started = performance.now()
  if (victim === 'postgres') {
    await federation.killPostgres()
    await gate.open()
  } else {
    const node = victim === 'hub' ? 'hub' : organisation
    await federation.kill(node)
    await gate.open()
    await federation.start(node)
  }
  await federation.finish(training)
  console.log(`${victim} killed, ${at}: ${step.phase}: done after ${Math.round(performance.now() - started)} ms`)
  const outcome = await outcomeOf(federation, training)
  if (config === CONFIG) expect(outcome).toEqual(undisturbed)
  else expect(withoutMasks(outcome)).toEqual(hidden)
}

describe('the undisturbed run', () => {
  it('gives the same model hidden and in the clear but for the rounding, with nothing forgotten too early', async () => {
    const { hidden, undisturbed } = await (current ??= undisturbedFederation())
    expect(hidden).toMatchObject({ verified: true, sameOnAllNodes: true })
    expect(hidden.modelHashes[0]).toBe(undisturbed.modelHashes[0])
    expect(new Set(hidden.modelHashes).size).toBe(3)
    expect(hidden.participants.map((lines) => lines.map(({ sample_count }) => sample_count))).toEqual(
      undisturbed.participants.map((lines) => lines.map(({ sample_count }) => sample_count)),
    )
  })

  it('verifies, is the same on all nodes, and counts each organisation once a round', async () => {
    const { federation, undisturbed } = await (current ??= undisturbedFederation())
    const once = Object.fromEntries(federation.organisations.map((id) => [id, 1]))
    expect(undisturbed).toMatchObject({ verified: true, sameOnAllNodes: true, counted: [once, once] })
    expect(new Set(undisturbed.modelHashes).size).toBe(3)
    for (const participants of undisturbed.participants)
      expect(participants.map(({ org_id }) => org_id)).toEqual([...federation.organisations].sort())
  })
})

describe.each([
  { at: 'hub', how: 'in the clear', config: CONFIG, steps: AT_HUB },
  { at: 'organisation', how: 'in the clear', config: CONFIG, steps: AT_ORGANISATION },
  { at: 'hub', how: 'with secure aggregation', config: HIDDEN, steps: HIDDEN_AT_HUB },
  { at: 'organisation', how: 'with secure aggregation', config: HIDDEN, steps: HIDDEN_AT_ORGANISATION },
] as const)('$how, with the $at stopped at a transition', ({ at, config, steps }) => {
  describe.each(steps)('of a round that is, there, $phase', (step) => {
    it.each(VICTIMS)('kill -9 of the %s changes no model and counts nobody twice', async (victim) => {
      try {
        await killAt(at, step, victim, config)
      } catch (error) {
        await discard()
        throw error
      }
    })
  })
})
