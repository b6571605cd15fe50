/**
 * The Merkle tree of RFC 9162 section 2.1 as an append-only log keeps it: a compact range, that is the roots of the
 * perfect subtrees that cover all leaves so far, largest first. It has one hash for each bit set in the size, so the
 * state of a log of a million blocks is at most twenty hashes.
 */

import { fail } from '../base/errors.ts'
import { sha256 } from '../base/hash.ts'

/** SHA-256, 32 bytes. */
export type Hash = Uint8Array

const LEAF = Uint8Array.of(0)
const NODE = Uint8Array.of(1)

/** RFC 9162 section 2.1.1: SHA-256(0x00 || entry). */
export function leafHash(entry: Uint8Array): Hash {
  return sha256(LEAF, entry)
}

/** RFC 9162 section 2.1.1: SHA-256(0x01 || left || right). The prefix keeps a node from passing for a leaf. */
export function nodeHash(left: Hash, right: Hash): Hash {
  return sha256(NODE, left, right)
}

/** The first `size` leaves of a log; `roots` as said above, oldest leaves first. */
export interface CompactRange {
  readonly size: number
  readonly roots: readonly Hash[]
}

export const EMPTY_RANGE: CompactRange = { size: 0, roots: [] }

/** The range with one more leaf. Merges like binary addition carries: one hash for each trailing one bit of the size. */
export function appendLeaf(range: CompactRange, leaf: Hash): CompactRange {
  const roots = range.roots.slice()
  let root = leaf
  for (let carry = range.size; carry % 2 === 1; carry = (carry - 1) / 2) {
    const left = roots.pop()
    if (left === undefined) fail('internal', 'a compact range has fewer hashes than its size needs')
    root = nodeHash(left, root)
  }
  roots.push(root)
  return { size: range.size + 1, roots }
}

/** Tree head of a compact range (RFC 9162 section 2.1.1); of no leaves, SHA-256 of the empty string. */
export function rangeRoot(range: CompactRange): Hash {
  return foldRight(range.roots) ?? sha256()
}

/** Joins subtree roots, oldest first, into the root of the tree that they cover; undefined for none. */
export function foldRight(roots: readonly Hash[]): Hash | undefined {
  let root = roots.at(-1)
  for (let i = roots.length - 2; i >= 0 && root !== undefined; i--) root = nodeHash(roots[i] as Hash, root)
  return root
}

/** MTH(D[n]) of RFC 9162 section 2.1.1 over leaf hashes. */
export function treeRoot(leaves: Iterable<Hash>): Hash {
  let range = EMPTY_RANGE
  for (const leaf of leaves) range = appendLeaf(range, leaf)
  return rangeRoot(range)
}
