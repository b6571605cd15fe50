import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { utf8 } from '../base/bytes.ts'
import { canonicalJson } from '../base/canonical.ts'
import { EntenteError } from '../base/errors.ts'
import { type Block, proposeBlock, signBlock } from './block.ts'
import { openCheckpoint } from './checkpoint.ts'
import { verifyExport } from './export.ts'
import {
  contentOf,
  exportOf,
  Hub,
  KEYS,
  keyOf,
  machine,
  named,
  ORGANISATIONS,
  ORIGIN,
  requestOf,
  secretOf,
  signatureOf,
  START,
  trained,
} from './fixtures.ts'
import { encodeLeaf, LEAF_BYTES_MAX } from './leaf.ts'
import { leafHash, treeRoot } from './merkle.ts'
import { type LedgerEffect, type LedgerEvent, ledgerMachine, type SealOutcome } from './sealing.ts'

const ofType = <T extends LedgerEffect['type']>(effects: readonly LedgerEffect[], type: T) =>
  effects.filter((effect): effect is Extract<LedgerEffect, { type: T }> => effect.type === type)

const outcomes = (effects: readonly LedgerEffect[]): SealOutcome[] =>
  ofType(effects, 'dispatch').map(({ event }) => event as SealOutcome)

function codeOf(work: () => unknown): string {
  try {
    work()
  } catch (error) {
    if (error instanceof EntenteError) return error.code
    throw error
  }
  return 'accepted'
}

const genesis = requestOf(contentOf('t1', 0, ORGANISATIONS), [], START)
const round1 = requestOf(contentOf('t1', 1, ORGANISATIONS), ORGANISATIONS, START + 1000, 2)

/** A hub with the initial block sealed and round 1 proposed. */
function proposed(): { hub: Hub; block: Block } {
  const hub = new Hub()
  hub.step(genesis)
  const [proposal] = ofType(hub.step(round1), 'propose-block')
  return { hub, block: proposal?.block as Block }
}

describe('sealing', () => {
  it('without signers happens at once, and is told to the members and to the asker', () => {
    const hub = new Hub()
    const effects = hub.step(genesis)
    const hash = hub.state.log.head?.hash
    expect(effects).toEqual([
      { type: 'publish-block', height: 0, hash },
      { type: 'dispatch', stream: 'round/t1-0', event: { type: 'sealed', height: 0, hash, at: START } },
    ])
    expect(hub.state).toMatchObject({ log: { size: 1 }, inFlight: null, queue: [] })
  })

  it('asks every signer, and waits for all of them until the deadline', () => {
    const { hub, block } = proposed()
    expect(ofType(hub.effects, 'propose-block')).toEqual([
      { type: 'propose-block', id: round1.id, block, to: ORGANISATIONS },
    ])
    expect(ofType(hub.effects, 'after')).toEqual([
      { type: 'after', at: round1.deadline, event: { type: 'seal-timeout', id: round1.id, at: round1.deadline } },
    ])
    expect(hub.step(signatureOf(round1.id, block, ORGANISATIONS[0] as never, 1))).toEqual([])
    expect(hub.step(signatureOf(round1.id, block, ORGANISATIONS[1] as never, 2))).toEqual([])
    expect(outcomes(hub.step(signatureOf(round1.id, block, ORGANISATIONS[2] as never, 3)))).toEqual([
      { type: 'sealed', height: 1, hash: block.hash, at: 3 },
    ])
  })

  it('at the deadline takes the signatures that came, if they are enough', () => {
    const { hub, block } = proposed()
    hub.step(signatureOf(round1.id, block, ORGANISATIONS[0] as never, 1))
    hub.step(signatureOf(round1.id, block, ORGANISATIONS[2] as never, 2))
    expect(outcomes(hub.step({ type: 'seal-timeout', id: round1.id, at: 9 }))).toMatchObject([
      { type: 'sealed', height: 1 },
    ])
    expect(verifyExport(exportOf(hub), KEYS).organisations).toEqual(['bank-a', 'constructor'])
  })

  it('at the deadline fails with too few signatures, and leaves the log as it was', () => {
    const { hub, block } = proposed()
    const before = hub.state.log
    hub.step(signatureOf(round1.id, block, ORGANISATIONS[0] as never, 1))
    expect(outcomes(hub.step({ type: 'seal-timeout', id: round1.id, at: 9 }))).toEqual([
      { type: 'seal-failed', reason: 'signatures-too-few: 1 of 2 signatures at the deadline', at: 9 },
    ])
    expect(hub.state).toMatchObject({ log: before, inFlight: null })
  })

  it('never happens without any signature, even if the policy asks for none', () => {
    const hub = new Hub()
    hub.step(genesis)
    hub.step({ ...round1, signaturesMin: 0 })
    expect(outcomes(hub.step({ type: 'seal-timeout', id: round1.id, at: 9 }))).toMatchObject([{ type: 'seal-failed' }])
  })

  it('refuses signatures of strangers, of other blocks and by other keys, and changes nothing', () => {
    const { hub, block } = proposed()
    const before = canonicalJson(hub.state)
    const [a, b] = ORGANISATIONS as [never, never]
    const good = signatureOf(round1.id, block, a, 1)
    const bad: LedgerEvent[] = [
      signatureOf(round1.id, block, 'stranger' as never, 1),
      { ...good, organisation: b },
      { ...good, signature: signBlock(block, secretOf('stranger')) },
      { ...good, height: block.height + 1 },
      { ...good, hash: hub.state.log.head?.hash as never },
      { ...good, signature: '' },
    ]
    for (const event of bad) expect(codeOf(() => hub.step(event))).toBe('signature-invalid')
    expect(codeOf(() => hub.step({ ...good, id: 'seal/unheard-of' }))).toBe('not-found')
    expect(canonicalJson(hub.state)).toBe(before)
  })

  it('refuses content that no replica would accept, with the reason, and goes on', () => {
    const hub = trained(1)
    const content = contentOf('t1', 2, ORGANISATIONS)
    const provenance = (change: object) => ({ ...content, provenance: { ...content.provenance, ...change } })
    const unsigned = proposeBlock(provenance({ training_config: '' }), hub.state.log.head ?? undefined, START + 9000)
    const room = LEAF_BYTES_MAX - encodeLeaf(unsigned).length
    const failures: [string, object][] = [
      ['parent-unknown', { content: provenance({ parent_model: contentOf('t9', 9, []).model_hash }) }],
      ['round-repeated', { content: contentOf('t1', 1, ORGANISATIONS) }],
      ['privacy-claim-unsupported', { content: provenance({ privacy_params: { epsilon: 1 } }) }],
      ['a leaf has at most', { content: provenance({ training_config: 'x'.repeat(70_000) }) }],
      ['the block with its signatures', { content: provenance({ training_config: 'x'.repeat(room) }) }],
      [
        'signer-not-participant',
        { signers: [{ org_id: 'stranger', public_key: keyOf('stranger') }], signaturesMin: 1 },
      ],
      [
        'signer-repeated',
        { signers: [requestOf(content, ORGANISATIONS, 0).signers[0], requestOf(content, ORGANISATIONS, 0).signers[0]] },
      ],
      ['signatures-missing', { signers: [], signaturesMin: 0 }],
      ['signatures-too-few', { signaturesMin: 4 }],
    ]
    for (const [reason, change] of failures) {
      const request = {
        ...requestOf(content, ORGANISATIONS, START + 9000),
        id: `seal/${reason}`,
        ...change,
      } as LedgerEvent
      expect(outcomes(hub.step(request))).toEqual([
        { type: 'seal-failed', reason: expect.stringContaining(reason), at: START + 9000 },
      ])
    }
    expect(hub.state.log.size).toBe(2)
    hub.seal(content, ORGANISATIONS, START + 9000)
    expect(hub.state.log.size).toBe(3)
  })

  it('has one block in flight; the next waits, gets a fresh timestamp and its full time to be signed', () => {
    const { hub, block } = proposed()
    const other = { ...requestOf(contentOf('t2', 0, ORGANISATIONS), named('bank-a'), START + 2000), id: 'seal/t2-0' }
    expect(hub.step(other)).toEqual([])
    expect(hub.state.queue).toHaveLength(1)
    for (const signer of ORGANISATIONS) hub.step(signatureOf(round1.id, block, signer, START + 8000))
    const [, second] = ofType(hub.effects, 'propose-block')
    expect(second).toMatchObject({
      id: other.id,
      block: { height: 2, prev_hash: block.hash, timestamp: new Date(START + 8000).toISOString() },
    })
    expect(ofType(hub.effects, 'after').at(-1)?.at).toBe(START + 8000 + 10_000)
  })

  it('gives up on waiting requests beyond 64 rather than grow without bound', () => {
    const { hub } = proposed()
    for (let i = 0; i < 64; i++) hub.step({ ...genesis, id: `seal/${i}` })
    expect(outcomes(hub.step({ ...genesis, id: 'seal/64' }))).toMatchObject([
      { type: 'seal-failed', reason: expect.stringContaining('queue-full') },
    ])
  })

  it('asked twice for the same is done once, and answered again', () => {
    const { hub, block } = proposed()
    expect(hub.step(round1)).toEqual([])
    for (const signer of ORGANISATIONS) hub.step(signatureOf(round1.id, block, signer, 5))
    expect(outcomes(hub.step(round1))).toEqual([{ type: 'sealed', height: 1, hash: block.hash, at: 5 }])
    expect(hub.step(signatureOf(round1.id, block, ORGANISATIONS[0] as never, 6))).toEqual([])
    expect(hub.step({ type: 'seal-timeout', id: round1.id, at: 7 })).toEqual([])
    expect(hub.state.log.size).toBe(2)
  })

  it('whatever is duplicated and reordered, seals at most once (P2) and replays to the same state', () => {
    const { block } = proposed()
    const events: LedgerEvent[] = [
      round1,
      ...ORGANISATIONS.map((name) => signatureOf(round1.id, block, name, START + 2000)),
      { type: 'seal-timeout', id: round1.id, at: round1.deadline },
    ]
    const traffic = fc.array(fc.constantFrom(...events), { minLength: 5, maxLength: 25 })
    fc.assert(
      fc.property(traffic, (arrivals) => {
        const hub = new Hub()
        const accepted: LedgerEvent[] = []
        for (const event of [genesis, round1, ...arrivals])
          if (codeOf(() => hub.step(event)) === 'accepted') accepted.push(event)
        const published = ofType(hub.effects, 'publish-block').map(({ height }) => height)
        expect(published.length).toBeLessThanOrEqual(2)
        expect(new Set(published).size).toBe(published.length)
        expect(hub.records).toHaveLength(hub.state.log.size)
        const answers = outcomes(hub.effects).filter((outcome) => outcome.at !== genesis.at)
        expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBeLessThanOrEqual(1)
        const replayed = new Hub()
        for (const event of JSON.parse(JSON.stringify(accepted)) as LedgerEvent[]) {
          replayed.state = JSON.parse(JSON.stringify(replayed.state))
          replayed.step(event)
        }
        expect(JSON.stringify(replayed.state)).toBe(JSON.stringify(hub.state))
        expect(replayed.records).toEqual(hub.records)
      }),
    )
  })

  it('writes the leaf, the checkpoint of the tree that ends with it, and where the model is found', () => {
    const hub = trained(3)
    for (const [height, { leaf, checkpoint }] of hub.records.entries()) {
      const { size, root } = openCheckpoint(checkpoint, ORIGIN, keyOf('hub'))
      expect(size).toBe(height + 1)
      expect(root).toEqual(treeRoot(hub.records.slice(0, size).map((record) => leafHash(utf8(record.leaf)))))
      expect(leaf).toBe(canonicalJson(JSON.parse(leaf)))
    }
  })

  it('keeps a state that does not grow with the number of blocks', () => {
    const short = JSON.stringify(trained(40).state).length
    const long = JSON.stringify(trained(200).state).length
    expect(long).toBeLessThan(short + 500)
    expect(long).toBeLessThan(10_000)
  })

  it('by two hubs with the same key and the same events gives the same notes, byte for byte', () => {
    const again = ledgerMachine({ origin: ORIGIN, hubSecret: secretOf('hub') })
    expect(again.step(again.initial('ledger'), genesis)).toEqual(machine.step(machine.initial('ledger'), genesis))
  })
})
