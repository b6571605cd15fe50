/**
 * `kill -9` of the hub, of an organisation and of Postgres at every transition of a round, in the clear and with secure
 * aggregation: masks are drawn anew in each training and once in a round; what they hide is not.
 */

import { afterAll, describe, expect, it } from 'vitest'
import { CONFIG, HIDDEN, startFederation } from './federation.ts'
import { prepareKilling, type Step } from './killing.ts'

const VICTIMS = ['hub', 'organisation', 'postgres'] as const

const killing = prepareKilling(() => startFederation())
afterAll(() => killing.close())

const clear = () => CONFIG
const hidden = () => HIDDEN

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

describe('the undisturbed run', () => {
  it('gives the same model hidden and in the clear but for the rounding, with nothing forgotten too early', async () => {
    const [one, other] = [await killing.undisturbed(hidden), await killing.undisturbed(clear)]
    expect(one.outcome).toMatchObject({ verified: true, sameOnAllNodes: true })
    expect(one.outcome.modelHashes[0]).toBe(other.outcome.modelHashes[0])
    expect(new Set(one.outcome.modelHashes).size).toBe(3)
    expect(one.outcome.participants.map((lines) => lines.map(({ sample_count }) => sample_count))).toEqual(
      other.outcome.participants.map((lines) => lines.map(({ sample_count }) => sample_count)),
    )
  })

  it('verifies, is the same on all nodes, and counts each organisation once a round', async () => {
    const { federation, outcome } = await killing.undisturbed(clear)
    const once = Object.fromEntries(federation.organisations.map((id) => [id, 1]))
    expect(outcome).toMatchObject({ verified: true, sameOnAllNodes: true, counted: [once, once] })
    expect(new Set(outcome.modelHashes).size).toBe(3)
    for (const participants of outcome.participants)
      expect(participants.map(({ org_id }) => org_id)).toEqual([...federation.organisations].sort())
  })
})

describe.each([
  { at: 'hub', how: 'in the clear', config: clear, steps: AT_HUB },
  { at: 'organisation', how: 'in the clear', config: clear, steps: AT_ORGANISATION },
  { at: 'hub', how: 'with secure aggregation', config: hidden, steps: HIDDEN_AT_HUB },
  { at: 'organisation', how: 'with secure aggregation', config: hidden, steps: HIDDEN_AT_ORGANISATION },
] as const)('$how, with the $at stopped at a transition', ({ at, config, steps }) => {
  describe.each(steps)('of a round that is, there, $phase', (step) => {
    it.each(VICTIMS)('kill -9 of the %s changes no model and counts nobody twice', (victim) =>
      killing.kill({ at, step, victim, config }),
    )
  })
})
