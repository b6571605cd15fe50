import { describe, expect, it } from 'vitest'
import { EntenteError } from '../base/errors.ts'
import { checkConsistency, checkInclusion, proveConsistency, proveInclusion } from './evidence.ts'
import { contentOf, exportOf, Hub, KEYS, keyOf, START, trained } from './fixtures.ts'

const hub = trained(12)
const exported = exportOf(hub)

function reasonOf(work: () => unknown): unknown {
  try {
    work()
  } catch (error) {
    if (error instanceof EntenteError) return error.details['reason'] ?? error.code
    throw error
  }
  return 'accepted'
}

describe('evidence of inclusion', () => {
  it('shows every block of a ledger to someone who has only the key of the log', () => {
    for (let height = 0; height <= 12; height++) {
      const evidence = proveInclusion(exported, height)
      expect(checkInclusion(JSON.parse(JSON.stringify(evidence)), KEYS).height).toBe(height)
    }
    expect(reasonOf(() => proveInclusion(exported, 13))).toBe('not-found')
  })

  it('for another block, from another log, or cut short is refused', () => {
    const [third, fourth] = [proveInclusion(exported, 3), proveInclusion(exported, 4)]
    expect(reasonOf(() => checkInclusion({ ...third, leaf: fourth.leaf }, KEYS))).toBe('proof-wrong')
    expect(reasonOf(() => checkInclusion({ ...third, leaf: third.leaf.replace('fedavg', 'fedprx') }, KEYS))).toBe(
      'proof-wrong',
    )
    expect(reasonOf(() => checkInclusion({ ...third, proof: third.proof.slice(1) }, KEYS))).toBe('proof-wrong')
    expect(reasonOf(() => checkInclusion({ ...third, proof: ['?'] }, KEYS))).toBe('proof-malformed')
    expect(reasonOf(() => checkInclusion(third, { ...KEYS, hub: keyOf('stranger') }))).toBe('note-unsigned')
    for (const value of [null, {}, { ...third, extra: 1 }])
      expect(reasonOf(() => checkInclusion(value, KEYS))).toBe('proof-malformed')
  })
})

describe('evidence of consistency', () => {
  it('shows that a ledger grew from each of its older checkpoints', () => {
    for (const [height, { checkpoint }] of hub.records.entries()) {
      const evidence = proveConsistency(exported, checkpoint, KEYS)
      expect(checkConsistency(JSON.parse(JSON.stringify(evidence)), KEYS)).toEqual({ older: height + 1, newer: 13 })
    }
  })

  it('cannot be made for a checkpoint of another history that the same key signed', () => {
    const fork = new Hub()
    fork.seal(contentOf('t2', 0, []), [], START)
    const evidence = proveConsistency(exported, fork.records[0]?.checkpoint as string, KEYS)
    expect(reasonOf(() => checkConsistency(evidence, KEYS))).toBe('proof-wrong')
    expect(reasonOf(() => checkConsistency({ ...evidence, proof: [] }, KEYS))).toBe('proof-wrong')
    expect(reasonOf(() => checkConsistency({}, KEYS))).toBe('proof-malformed')
  })
})
