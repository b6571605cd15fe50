/**
 * `kill -9` of the hub, of an organisation and of Postgres at every transition of a round. One federation serves all
 * cases, each with a training of its own: the configuration, and with it every model, is the same, and what an earlier
 * training left in the blobs is removed. A case that fails leaves its federation behind, and the next one gets a new one.
 */

import { afterAll, describe, expect, it } from 'vitest'
import { startFederation, type TestFederation } from './federation.ts'
import { closeGate, type Transition } from './gate.ts'
import { forgetBlobs, type Outcome, outcomeOf } from './outcome.ts'

const VICTIMS = ['hub', 'organisation', 'postgres'] as const

type Step = Omit<Transition, 'stream'> & {
  readonly phase: string
  readonly stream: (round: string) => string
}

const round = (id: string): string => `round/${id}`
const participant = (id: string): string => `participant/${id}`

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

let current: Promise<{ federation: TestFederation; undisturbed: Outcome }> | undefined
let trainings = 0

async function undisturbedFederation(): Promise<{ federation: TestFederation; undisturbed: Outcome }> {
  const federation = await startFederation()
  await federation.startTraining('undisturbed')
  await federation.finish('undisturbed')
  return { federation, undisturbed: await outcomeOf(federation, 'undisturbed') }
}

async function discard(): Promise<void> {
  const discarded = current
  current = undefined
  await (await discarded)?.federation.close()
}

afterAll(discard)

/** Freezes `at` when it is about to take the step in round 1, kills the victim, and lets everything go on. */
async function killAt(at: 'hub' | 'organisation', step: Step, victim: (typeof VICTIMS)[number]): Promise<void> {
  const { federation, undisturbed } = await (current ??= undisturbedFederation())
  const [organisation = ''] = federation.organisations
  const training = `killed-${++trainings}`
  const roundId = `${training}-1`
  await forgetBlobs(federation)
  const gate = await closeGate(federation.databaseUrl(at === 'hub' ? 'hub' : organisation), {
    ...step,
    stream: step.stream(roundId),
    containing: step.stream('') === step.stream(roundId) ? roundId : '',
  })
  await federation.startTraining(training)
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
  expect(await outcomeOf(federation, training)).toEqual(undisturbed)
}

describe('the undisturbed run', () => {
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
  { at: 'hub', steps: AT_HUB },
  { at: 'organisation', steps: AT_ORGANISATION },
] as const)('with the $at stopped at a transition', ({ at, steps }) => {
  describe.each(steps)('of a round that is, there, $phase', (step) => {
    it.each(VICTIMS)('kill -9 of the %s changes no model and counts nobody twice', async (victim) => {
      try {
        await killAt(at, step, victim)
      } catch (error) {
        await discard()
        throw error
      }
    })
  })
})
