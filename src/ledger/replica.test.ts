import { describe, expect, it } from 'vitest'
import { utf8 } from '../base/bytes.ts'
import { EntenteError } from '../base/errors.ts'
import { type Block, blockHash, signBlock } from './block.ts'
import { signCheckpoint } from './checkpoint.ts'
import { contentOf, Hub, keyOf, MEMBERS, modelOf, ORGANISATIONS, ORIGIN, secretOf, START, trained } from './fixtures.ts'
import { decodeLeaf, encodeLeaf } from './leaf.ts'
import type { LedgerRecord } from './log.ts'
import { leafHash, treeRoot } from './merkle.ts'
import { type BlockReceived, type ReplicaState, replicaMachine } from './replica.ts'

const machine = replicaMachine({ origin: ORIGIN, hubKey: keyOf('hub') })
const empty = machine.initial('replica')
const hub = trained(20)
const at = START + 60_000

const received = (record: LedgerRecord, change: Partial<BlockReceived> = {}): BlockReceived => ({
  type: 'block-received',
  ...record,
  members: MEMBERS,
  at,
  ...change,
})

function follow(records: readonly LedgerRecord[], from: ReplicaState = empty): ReplicaState {
  return records.reduce((state, record) => machine.step(state, received(record)).state, from)
}

function refusal(work: () => unknown): {
  code?: string
  reason?: unknown
  details?: Readonly<Record<string, unknown>>
} {
  try {
    work()
  } catch (error) {
    if (error instanceof EntenteError)
      return { code: error.code, reason: error.details['reason'], details: error.details }
    throw error
  }
  return {}
}

const record = (height: number): LedgerRecord => hub.records[height] as LedgerRecord

/** What a hub with its own key could sign in place of the block at this height. */
function forged(height: number, change: Partial<Block>, signers = ORGANISATIONS): LedgerRecord {
  const changed = { ...decodeLeaf(record(height).leaf), ...change }
  const block: Block = { ...changed, hash: blockHash(changed) }
  const leaf = encodeLeaf({
    ...block,
    org_signatures: Object.fromEntries(signers.map((name) => [name, signBlock(block, secretOf(name))])),
  })
  const leaves = [...hub.records.slice(0, height).map((before) => before.leaf), leaf]
  const root = treeRoot(leaves.map((text) => leafHash(utf8(text))))
  return { leaf, checkpoint: signCheckpoint({ origin: ORIGIN, size: height + 1, root }, secretOf('hub')) }
}

describe('a replica', () => {
  it('that follows the hub has its log, block by block, and the same records', () => {
    let state = empty
    for (const [height, sealed] of hub.records.entries()) {
      const step = machine.step(state, received(sealed))
      state = step.state
      expect(step.effects).toEqual([{ type: 'block-verified', block: JSON.parse(sealed.leaf) }])
      expect(step.records?.[0]).toEqual({ collection: 'ledger', key: String(height).padStart(12, '0'), value: sealed })
    }
    expect(state.log).toEqual(hub.state.log)
  })

  it('replays its events to the same state, through JSON', () => {
    const replayed = hub.records.reduce(
      (state, sealed) => machine.step(JSON.parse(JSON.stringify(state)) as ReplicaState, received(sealed)).state,
      empty,
    )
    expect(JSON.stringify(replayed)).toBe(JSON.stringify(follow(hub.records)))
  })

  it('asks for the blocks between, when one arrives too early', () => {
    const state = follow(hub.records.slice(0, 3))
    expect(refusal(() => machine.step(state, received(record(5))))).toMatchObject({
      code: 'unavailable',
      details: { missing: 3 },
    })
  })

  it('takes the same block again as nothing new', () => {
    const state = follow(hub.records)
    for (const height of [0, 5, 20])
      expect(machine.step(state, received(record(height)))).toEqual({ state, effects: [] })
  })

  it('holds both signed notes against a hub that shows another block at a height it knows', () => {
    const state = follow(hub.records)
    const other = forged(18, { model_hash: modelOf('evil', 1) })
    expect(refusal(() => machine.step(state, received(other)))).toMatchObject({
      code: 'ledger-conflict',
      details: { height: 18, notes: [record(18).checkpoint, other.checkpoint] },
    })
  })

  it('does so for blocks long past, given its own record of them', () => {
    const state = follow(hub.records)
    const other = forged(1, { model_hash: modelOf('evil', 1) })
    expect(machine.step(state, received(other))).toEqual({ state, effects: [] })
    expect(refusal(() => machine.step(state, received(other, { known: record(1) })))).toMatchObject({
      code: 'ledger-conflict',
    })
    expect(machine.step(state, received(record(1), { known: record(1) }))).toEqual({ state, effects: [] })
  })

  it('holds both notes against a hub that goes on from a history it never showed', () => {
    const state = follow(hub.records.slice(0, 5))
    const fork = forged(5, { prev_hash: blockHash({ ...decodeLeaf(record(4).leaf), height: 9 }) })
    expect(refusal(() => machine.step(state, received(fork)))).toMatchObject({
      code: 'ledger-conflict',
      details: { height: 5, notes: [record(4).checkpoint, fork.checkpoint] },
    })
  })

  it('refuses a signed root that is not that of the blocks it has', () => {
    const state = follow(hub.records.slice(0, 5))
    const { leaf } = record(5)
    const checkpoint = signCheckpoint({ origin: ORIGIN, size: 6, root: leafHash(utf8(leaf)) }, secretOf('hub'))
    expect(refusal(() => machine.step(state, received({ leaf, checkpoint })))).toMatchObject({
      code: 'ledger-invalid',
      reason: 'root-wrong',
    })
  })

  it('refuses a checkpoint that is of another size, of another log, or not signed by the hub', () => {
    const state = follow(hub.records.slice(0, 5))
    const { leaf } = record(5)
    const root = treeRoot([])
    const notes = {
      'checkpoint-size': record(6).checkpoint,
      'note-unsigned': signCheckpoint({ origin: 'other.example', size: 6, root }, secretOf('hub')),
      'note-signature': record(5).checkpoint.replace(/\n\n(— \S+ \S{12}).{4}/u, '\n\n$1AAAA'),
      'note-malformed': 'nothing',
    }
    for (const [reason, checkpoint] of Object.entries(notes))
      expect(refusal(() => machine.step(state, received({ leaf, checkpoint })))).toMatchObject({
        code: 'ledger-invalid',
        reason,
      })
    const stranger = signCheckpoint({ origin: ORIGIN, size: 6, root }, secretOf('stranger'))
    expect(refusal(() => machine.step(state, received({ leaf, checkpoint: stranger })))).toMatchObject({
      reason: 'note-unsigned',
    })
  })

  it('refuses a block that the hub signed but whose signers, chain of models or bounds are wrong', () => {
    const state = follow(hub.records.slice(0, 5))
    const block = decodeLeaf(record(5).leaf)
    const provenance = (change: object) => ({ provenance: { ...block.provenance, ...change } })
    const forgeries: [string, LedgerRecord, Partial<BlockReceived>?][] = [
      ['signatures-missing', forged(5, {}, [])],
      ['signer-unknown', record(5), { members: {} }],
      ['signature-invalid', record(5), { members: { ...MEMBERS, 'bank-a': [keyOf('stranger')] } }],
      ['parent-unknown', forged(5, provenance({ parent_model: modelOf('t1', 3) }))],
      ['timestamp-backwards', forged(5, { timestamp: '2025-01-01T00:00:00.000Z' })],
      [
        'num-clients-wrong',
        forged(5, provenance({ participants: block.provenance.participants.slice(1) }), ORGANISATIONS.slice(1)),
      ],
      ['hash-wrong', { ...record(5), leaf: record(5).leaf.replace('"seed":42', '"seed":43') }],
    ]
    for (const [reason, sealed, change] of forgeries)
      expect(refusal(() => machine.step(state, received(sealed, change)))).toMatchObject({
        code: 'ledger-invalid',
        reason,
      })
  })

  it('refuses for now a block dated more than five minutes ahead of its own clock', () => {
    const state = follow(hub.records.slice(0, 5))
    expect(refusal(() => machine.step(state, received(record(5), { at: START + 5000 - 300_001 })))).toMatchObject({
      code: 'unavailable',
    })
    expect(machine.step(state, received(record(5), { at: START + 5000 - 300_000 })).effects).toHaveLength(1)
  })

  it('of a hub that also seals blocks of other trainings follows them all', () => {
    const busy = new Hub()
    for (let round = 0; round < 4; round++) {
      busy.seal(contentOf('t1', round, ORGANISATIONS), round === 0 ? [] : ORGANISATIONS, START + round)
      busy.seal(contentOf('t2', round, ORGANISATIONS), round === 0 ? [] : ORGANISATIONS, START + round)
    }
    expect(follow(busy.records).log).toEqual(busy.state.log)
  })
})
