import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { text, utf8 } from '../base/bytes.ts'
import { EntenteError } from '../base/errors.ts'
import { signCheckpoint } from './checkpoint.ts'
import { encodeExport, inspectExport, type LedgerKeys, parseExport, parseKeys, verifyExport } from './export.ts'
import { exportOf, KEYS, keyOf, modelOf, ORGANISATIONS, secretOf, trained } from './fixtures.ts'
import { treeRoot } from './merkle.ts'

const exported = exportOf(trained(4))
const file = encodeExport(exported)

function codeOf(work: () => unknown): string {
  try {
    work()
  } catch (error) {
    if (error instanceof EntenteError) return error.code
    throw error
  }
  return 'accepted'
}

/** What the command does with the bytes of a file. */
const verifyFile = (bytes: Uint8Array): string => {
  let decoded: string
  try {
    decoded = text(bytes)
  } catch {
    return 'not UTF-8'
  }
  return codeOf(() => verifyExport(parseExport(decoded), KEYS))
}

const reasons = (value: unknown, keys: LedgerKeys = KEYS): unknown[] =>
  inspectExport(value, keys).faults.map(({ height, reason }) => [height, reason])

const withLeaf = (height: number, leaf: string) => ({ ...exported, leaves: exported.leaves.with(height, leaf) })

describe('an exported ledger (P9)', () => {
  it('verifies with public keys alone, and says what it is', () => {
    expect(verifyExport(exported, KEYS)).toEqual({
      height: 4,
      modelHash: modelOf('t1', 4),
      blocks: 5,
      organisations: [...ORGANISATIONS].sort(),
    })
  })

  it('is canonical text, and back', () => {
    expect(parseExport(file)).toEqual(exported)
    expect(codeOf(() => parseExport(` ${file}`))).toBe('ledger-invalid')
    expect(codeOf(() => parseExport(JSON.stringify(exported, null, 2)))).toBe('ledger-invalid')
    expect(codeOf(() => parseExport(file.slice(0, -2)))).toBe('malformed-json')
    expect(codeOf(() => parseExport(file.replace('{"', '{"leaves":[],"')))).toBe('ledger-invalid')
  })

  it('with any single byte changed is rejected', () => {
    const bytes = utf8(file)
    expect(verifyFile(bytes)).toBe('accepted')
    const change = fc.tuple(fc.integer({ min: 0, max: bytes.length - 1 }), fc.integer({ min: 1, max: 255 }))
    fc.assert(
      fc.property(change, ([at, mask]) => {
        const changed = bytes.with(at, (bytes[at] as number) ^ mask)
        expect(verifyFile(changed)).not.toBe('accepted')
      }),
      { numRuns: 1500 },
    )
  })

  it('with any single byte of a short one changed in its lowest bit is rejected, at every position', () => {
    const bytes = utf8(encodeExport(exportOf(trained(0))))
    expect(verifyFile(bytes)).toBe('accepted')
    for (let at = 0; at < bytes.length; at++)
      expect(verifyFile(bytes.with(at, (bytes[at] as number) ^ 1)), `byte ${at}`).not.toBe('accepted')
  })

  it('with any byte removed or doubled is rejected', () => {
    const bytes = utf8(file)
    fc.assert(
      fc.property(fc.integer({ min: 0, max: bytes.length - 1 }), (at) => {
        expect(verifyFile(bytes.filter((_, i) => i !== at))).not.toBe('accepted')
        expect(
          verifyFile(Uint8Array.from([...bytes.subarray(0, at), bytes[at] as number, ...bytes.subarray(at)])),
        ).not.toBe('accepted')
      }),
    )
  })

  it('shows every fault with its height, not only the first', () => {
    const broken = {
      ...exported,
      leaves: exported.leaves.map((leaf, i) => (i === 1 ? leaf.replace('fedavg', 'fedprx') : i === 3 ? '{}' : leaf)),
    }
    expect(reasons(broken)).toEqual([
      [null, 'root-wrong'],
      [1, 'hash-wrong'],
      [3, 'block-malformed'],
      [4, 'parent-unknown'],
    ])
  })

  it('with blocks left out, swapped, repeated or added is rejected', () => {
    const { leaves } = exported
    for (const changed of [
      leaves.slice(0, -1),
      leaves.toReversed(),
      [...leaves, leaves[4] as string],
      leaves.toSpliced(2, 1),
      [],
    ])
      expect(inspectExport({ ...exported, leaves: changed }, KEYS).faults.length).toBeGreaterThan(0)
  })

  it('without blocks is rejected, even under a checkpoint of no blocks', () => {
    const checkpoint = signCheckpoint({ origin: KEYS.origin, size: 0, root: treeRoot([]) }, secretOf('hub'))
    expect(reasons({ ...exported, checkpoint, leaves: [] })).toEqual([[null, 'empty']])
  })

  it('cut short together with its checkpoint is a shorter ledger, and says so', () => {
    expect(verifyExport(exportOf(trained(2)), KEYS)).toMatchObject({ blocks: 3, height: 2 })
  })

  it('of another federation, or under another hub key, is rejected', () => {
    expect(reasons(exported, { ...KEYS, origin: 'health-isac.example' })).toContainEqual([null, 'origin-wrong'])
    expect(reasons(exported, { ...KEYS, hub: keyOf('stranger') })).toEqual([[null, 'note-unsigned']])
    expect(reasons({ ...exported, origin: 'health-isac.example' })).toEqual([[null, 'origin-wrong']])
  })

  it('signed by organisations whose keys the auditor was not given is rejected', () => {
    const others = Object.fromEntries(Object.entries(KEYS.organisations).filter(([name]) => name !== 'bank-b'))
    expect(reasons(exported, { ...KEYS, organisations: others as never })).toEqual(
      [1, 2, 3, 4].map((height) => [height, 'signer-unknown']),
    )
  })

  it('is refused as a file of keys when two organisations share a key: one party would sign as two', () => {
    const shared = { ...KEYS.organisations, 'bank-b': [keyOf('bank-a')] }
    expect(codeOf(() => parseKeys({ ...KEYS, organisations: shared }))).toBe('config-invalid')
    expect(codeOf(() => parseKeys({ ...KEYS, hub: 'AAAA' }))).toBe('config-invalid')
    expect(parseKeys(JSON.parse(JSON.stringify(KEYS)))).toEqual(KEYS)
  })

  it('that is anything else is refused without a crash', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        expect(inspectExport(value, KEYS).summary).toBeUndefined()
      }),
    )
    fc.assert(
      fc.property(fc.json(), (leaf) => {
        expect(inspectExport(withLeaf(2, leaf), KEYS).summary).toBeUndefined()
      }),
    )
  })

  it('lists at most a thousand faults and counts the rest, so that no file fills the memory', () => {
    const report = inspectExport({ ...exported, leaves: Array.from({ length: 3000 }, () => '') }, KEYS)
    expect(report.faults).toHaveLength(1000)
    expect(report.faultsOmitted).toBe(2002)
  })
})
