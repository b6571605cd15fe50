import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sharedPath } from '../../test/shared.ts'
import { fromBase64, toHex, utf8 } from '../base/bytes.ts'
import { appendLeaf, EMPTY_RANGE, type Hash, leafHash, nodeHash, rangeRoot, treeRoot } from './merkle.ts'
import {
  consistencyProof,
  inclusionProof,
  subtreesOf,
  verifyConsistency,
  verifyInclusion,
  verifySubtreeConsistency,
  verifySubtreeInclusion,
} from './proofs.ts'

/** MTH(D[n]) exactly as RFC 9162 section 2.1.1 defines it, by recursion. */
function definition(leaves: readonly Hash[]): Hash {
  if (leaves.length === 1) return leaves[0] as Hash
  let k = 1
  while (k * 2 < leaves.length) k *= 2
  return nodeHash(definition(leaves.slice(0, k)), definition(leaves.slice(k)))
}

const leavesOf = (count: number): Hash[] => Array.from({ length: count }, (_, i) => leafHash(utf8(`leaf ${i}`)))

function flipped(hash: Hash, bit: number): Hash {
  return hash.map((byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte))
}

describe('Merkle tree', () => {
  it('has the root of the empty tree and of the tree over one empty leaf that RFC 9162 fixes', () => {
    expect(toHex(treeRoot([]))).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
    expect(toHex(treeRoot([leafHash(new Uint8Array())]))).toBe(
      '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
    )
  })

  it('has the roots that Certificate Transparency published for its eight test leaves', () => {
    const entries = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f']
    const roots = [
      '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
      'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
      'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
      '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
      '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
      'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
      '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
    ]
    let range = EMPTY_RANGE
    for (const [i, entry] of entries.entries()) {
      range = appendLeaf(
        range,
        leafHash(Uint8Array.from(entry.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16))),
      )
      expect(toHex(rangeRoot(range))).toBe(roots[i])
    }
  })

  it('grown leaf by leaf has the root of the definition, and one hash for each bit of its size', () => {
    let range = EMPTY_RANGE
    const leaves = leavesOf(130)
    for (const [i, leaf] of leaves.entries()) {
      range = appendLeaf(range, leaf)
      expect(rangeRoot(range)).toEqual(definition(leaves.slice(0, i + 1)))
      expect(range.roots).toHaveLength((i + 1).toString(2).replaceAll('0', '').length)
    }
  })
})

describe('proofs', () => {
  it('of inclusion verify for every leaf of every size up to 40, and for no other leaf', () => {
    for (let size = 1; size <= 40; size++) {
      const leaves = leavesOf(size)
      const read = subtreesOf(leaves)
      const root = treeRoot(leaves)
      for (let index = 0; index < size; index++) {
        const proof = inclusionProof(index, size, read)
        expect(verifyInclusion(index, size, leaves[index] as Hash, proof, root)).toBe(true)
        expect(verifyInclusion((index + 1) % (size + 1), size, leaves[index] as Hash, proof, root)).toBe(false)
      }
    }
  })

  it('of consistency verify for every pair of sizes up to 40, and not for a changed first tree', () => {
    const leaves = leavesOf(40)
    const read = subtreesOf(leaves)
    for (let size2 = 1; size2 <= 40; size2++) {
      for (let size1 = 1; size1 <= size2; size1++) {
        const [root1, root2] = [treeRoot(leaves.slice(0, size1)), treeRoot(leaves.slice(0, size2))]
        const proof = consistencyProof(size1, size2, read)
        expect(verifyConsistency(size1, size2, root1, root2, proof)).toBe(true)
        expect(verifyConsistency(size1, size2, flipped(root1, 7), root2, proof)).toBe(false)
      }
    }
  })

  it('with any bit flipped, any hash missing or one too many are rejected', () => {
    const leaves = leavesOf(100)
    const read = subtreesOf(leaves)
    const root = treeRoot(leaves)
    const sizes = fc.tuple(fc.integer({ min: 1, max: 99 }), fc.nat(), fc.integer({ min: 0, max: 255 }))
    fc.assert(
      fc.property(sizes, ([size1, pick, bit]) => {
        const old = treeRoot(leaves.slice(0, size1))
        for (const [proof, check] of [
          [
            inclusionProof(size1, 100, read),
            (p: Hash[]) => verifyInclusion(size1, 100, leaves[size1] as Hash, p, root),
          ],
          [consistencyProof(size1, 100, read), (p: Hash[]) => verifyConsistency(size1, 100, old, root, p)],
        ] as const) {
          const at = pick % proof.length
          expect(check(proof)).toBe(true)
          expect(check(proof.with(at, flipped(proof[at] as Hash, bit)))).toBe(false)
          expect(check(proof.toSpliced(at, 1))).toBe(false)
          expect(check([...proof, root])).toBe(false)
        }
      }),
    )
  })

  it('from size 0 are rejected, and are not made', () => {
    const root = treeRoot(leavesOf(3))
    expect(verifyConsistency(0, 3, treeRoot([]), root, [])).toBe(false)
    expect(verifyConsistency(0, 3, root, root, [root])).toBe(false)
    expect(() => consistencyProof(0, 3, subtreesOf(leavesOf(3)))).toThrow(/nothing proves/)
  })

  it('of the largest sizes a number can hold end without recursion', () => {
    const root = treeRoot(leavesOf(1))
    expect(verifyInclusion(2 ** 52, Number.MAX_SAFE_INTEGER, root, [root], root)).toBe(false)
    expect(verifyConsistency(2 ** 52 + 1, Number.MAX_SAFE_INTEGER, root, root, [root])).toBe(false)
    expect(inclusionProof(2 ** 52, 2 ** 53 - 1, () => root).length).toBeLessThan(60)
  })
})

interface Vector {
  readonly desc: string
  readonly wantErr: boolean
  readonly leafIdx?: number
  readonly treeSize?: number
  readonly start?: number
  readonly end?: number
  readonly size?: number
  readonly size1?: number
  readonly size2?: number
  readonly root?: string
  readonly root1?: string
  readonly root2?: string
  readonly leafHash?: string
  readonly proof: readonly string[] | null
}

const folder = sharedPath('vectors/rfc9162-merkle/testdata')

function vectors(kind: string): { file: string; vector: Vector }[] {
  const files = readdirSync(join(folder ?? '', kind), { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.json'),
  )
  return files.map((file) => ({
    file,
    vector: JSON.parse(readFileSync(join(folder ?? '', kind, file), 'utf8')) as Vector,
  }))
}

const bytes = (encoded: string | undefined): Hash => fromBase64(encoded ?? '') ?? new Uint8Array()

const VERIFIERS: Record<string, { count: number; verify: (v: Vector, proof: Hash[]) => boolean }> = {
  inclusion: {
    count: 98,
    verify: (v, proof) => verifyInclusion(v.leafIdx ?? 0, v.treeSize ?? 0, bytes(v.leafHash), proof, bytes(v.root)),
  },
  consistency: {
    count: 98,
    verify: (v, proof) => verifyConsistency(v.size1 ?? 0, v.size2 ?? 0, bytes(v.root1), bytes(v.root2), proof),
  },
  subtreeinclusion: {
    count: 204,
    verify: (v, proof) =>
      verifySubtreeInclusion(v.leafIdx ?? 0, v.start ?? 0, v.end ?? 0, bytes(v.leafHash), proof, bytes(v.root)),
  },
  subtreeconsistency: {
    count: 118,
    verify: (v, proof) =>
      verifySubtreeConsistency(v.start ?? 0, v.end ?? 0, v.size ?? 0, bytes(v.root1), bytes(v.root2), proof),
  },
}

describe.skipIf(!folder)('published vectors (reads shared vectors rfc9162-merkle)', () => {
  it.each(Object.keys(VERIFIERS))('every %s proof is judged as its author says', (kind) => {
    const { count, verify } = VERIFIERS[kind] as (typeof VERIFIERS)[string]
    const all = vectors(kind)
    expect(all).toHaveLength(count)
    for (const { file, vector } of all)
      expect(verify(vector, (vector.proof ?? []).map(bytes)), `${file}: ${vector.desc}`).toBe(!vector.wantErr)
  })
})
