/**
 * Inclusion and consistency proofs, RFC 9162 section 2.1.3 and 2.1.4, made and verified; also for subtrees, as in
 * draft-ietf-plants-merkle-tree-certs section 4. Every size, index and hash given to a verifier is the adversary's.
 */

import { equalBytes } from '../base/bytes.ts'
import { fail } from '../base/errors.ts'
import { EMPTY_RANGE, foldRight, type Hash, nodeHash, rangeRoot } from './merkle.ts'

/** Leaves `start` to `end - 1`: a node of the tree whose leaves these are. */
export interface LeafRange {
  readonly start: number
  readonly end: number
}

/** Root of the perfect subtree of leaves `index * 2^level` to `(index + 1) * 2^level - 1`; level 0 is the leaf hash. */
export type ReadSubtree = (level: number, index: number) => Hash

/** Largest power of two smaller than `n` (n > 1). */
function split(n: number): number {
  let power = 1
  while (power * 2 < n) power *= 2
  return power
}

/** Largest power of two that divides `n`; infinite for 0. */
function alignment(n: number): number {
  if (n === 0) return Number.POSITIVE_INFINITY
  let power = 1
  while (n % (power * 2) === 0) power *= 2
  return power
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}

/** The nodes of PATH(index, D[size]), leaf to root: what an inclusion proof consists of. @throws not-found */
export function inclusionRanges(index: number, size: number): LeafRange[] {
  if (!isCount(index) || !isCount(size) || index >= size)
    fail('not-found', `there is no leaf ${index} in a log of ${size}`)
  const path: LeafRange[] = []
  let [start, end] = [0, size]
  while (end - start > 1) {
    const middle = start + split(end - start)
    path.push(index < middle ? { start: middle, end } : { start, end: middle })
    if (index < middle) end = middle
    else start = middle
  }
  return path.toReversed()
}

/** The nodes of PROOF(size1, D[size2]), deepest first. @throws not-found unless 0 < size1 <= size2. */
export function consistencyRanges(size1: number, size2: number): LeafRange[] {
  if (!isCount(size1) || !isCount(size2) || size1 === 0 || size1 > size2)
    fail('not-found', `nothing proves that a log of ${size1} is the beginning of a log of ${size2}`)
  const path: LeafRange[] = []
  let [start, end] = [0, size2]
  while (size1 !== end) {
    const middle = start + split(end - start)
    path.push(size1 <= middle ? { start: middle, end } : { start, end: middle })
    if (size1 <= middle) end = middle
    else start = middle
  }
  if (start !== 0) path.push({ start, end })
  return path.toReversed()
}

/** The perfect subtrees that cover a range, oldest first: what must be read to hash it. */
export function perfectSubtrees({ start, end }: LeafRange): { level: number; index: number }[] {
  const subtrees: { level: number; index: number }[] = []
  let at = start
  while (at < end) {
    let width = Math.min(alignment(at), 2 ** 52)
    while (at + width > end) width /= 2
    subtrees.push({ level: Math.log2(width), index: at / width })
    at += width
  }
  return subtrees
}

/** Hash of a node of the tree from roots of perfect subtrees. */
export function rangeHash(range: LeafRange, read: ReadSubtree): Hash {
  const root = foldRight(perfectSubtrees(range).map(({ level, index }) => read(level, index)))
  if (root === undefined) fail('internal', 'an empty range has no hash in a proof')
  return root
}

/** Reads subtrees from all leaf hashes, keeping every node: for files and tests; a server reads stored nodes instead. */
export function subtreesOf(leaves: readonly Hash[]): ReadSubtree {
  const levels: (readonly Hash[])[] = [leaves]
  for (let below = leaves; below.length > 1; ) {
    const above: Hash[] = []
    for (let i = 0; i + 1 < below.length; i += 2) above.push(nodeHash(below[i] as Hash, below[i + 1] as Hash))
    levels.push(above)
    below = above
  }
  return (level, index) => levels[level]?.[index] ?? fail('not-found', `no subtree ${index} of level ${level}`)
}

/** RFC 9162 section 2.1.3.1. @throws not-found unless index < size. */
export function inclusionProof(index: number, size: number, read: ReadSubtree): Hash[] {
  return inclusionRanges(index, size).map((range) => rangeHash(range, read))
}

/** RFC 9162 section 2.1.4.1. @throws not-found unless 0 < size1 <= size2. */
export function consistencyProof(size1: number, size2: number, read: ReadSubtree): Hash[] {
  return consistencyRanges(size1, size2).map((range) => rangeHash(range, read))
}

const isHash = (hash: Hash): boolean => hash.length === 32

/** RFC 9162 section 2.1.3.2. False for anything but a correct proof. */
export function verifyInclusion(index: number, size: number, leaf: Hash, proof: readonly Hash[], root: Hash): boolean {
  if (!isCount(index) || !isCount(size) || index >= size || ![leaf, root, ...proof].every(isHash)) return false
  let [fn, sn, hash] = [index, size - 1, leaf]
  for (const sibling of proof) {
    if (sn === 0) return false
    if (fn % 2 === 1 || fn === sn) {
      hash = nodeHash(sibling, hash)
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [fn / 2, Math.floor(sn / 2)]
    } else hash = nodeHash(hash, sibling)
    ;[fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)]
  }
  return sn === 0 && equalBytes(hash, root)
}

/**
 * RFC 9162 section 2.1.4.2. False for anything but a correct proof; false from size 0, because such a "proof" would
 * convince of any second tree.
 */
export function verifyConsistency(
  size1: number,
  size2: number,
  root1: Hash,
  root2: Hash,
  proof: readonly Hash[],
): boolean {
  if (size1 === 0 || !isCount(size1)) return false
  return verifySubtreeConsistency(0, size1, size2, root1, root2, proof)
}

/** Whether leaves `start..end` can be a subtree of a tree: its start is a multiple of a power of two not below its width. */
export function isSubtree(start: number, end: number): boolean {
  if (!isCount(start) || !isCount(end) || start >= end) return false
  let width = 1
  while (width < end - start) width *= 2
  return start % width === 0
}

/** Like {@link verifyInclusion}, of leaf `index` in the subtree `start..end`. */
export function verifySubtreeInclusion(
  index: number,
  start: number,
  end: number,
  leaf: Hash,
  proof: readonly Hash[],
  root: Hash,
): boolean {
  return isSubtree(start, end) && verifyInclusion(index - start, end - start, leaf, proof, root)
}

/** Positions of the subtree's first and last leaf and of the tree's last leaf, on one level. */
interface Level {
  readonly first: number
  readonly last: number
  readonly top: number
}

const halve = ({ first, last, top }: Level): Level => ({
  first: Math.floor(first / 2),
  last: Math.floor(last / 2),
  top: Math.floor(top / 2),
})

/** Rises past the levels on which the subtree's right border is a left sibling's right border too: they need no hash. */
function firstLevel(level: Level): Level {
  let at = level
  while (at.first !== at.last && (level.last === level.top || at.last % 2 === 1)) at = halve(at)
  return at
}

function riseToOdd(level: Level): Level {
  let at = level
  while (at.last % 2 === 0 && at.last !== 0) at = halve(at)
  return at
}

/**
 * Whether the subtree `start..end` with root `root1` is part of the tree of `size` leaves with root `root2`. The empty
 * subtree is part of every tree, which says nothing of `root2`: {@link verifyConsistency} does not take that answer.
 */
export function verifySubtreeConsistency(
  start: number,
  end: number,
  size: number,
  root1: Hash,
  root2: Hash,
  proof: readonly Hash[],
): boolean {
  if (!isCount(start) || !isCount(end) || !isCount(size) || end > size || !proof.every(isHash)) return false
  if (start === end) return proof.length === 0 && equalBytes(root1, rangeRoot(EMPTY_RANGE))
  if (!isSubtree(start, end)) return false
  let level = firstLevel({ first: start, last: end - 1, top: size - 1 })
  const [seed, ...path] = level.first === level.last ? [root1, ...proof] : proof
  if (seed === undefined) return false
  let [hash1, hash2] = [seed, seed]
  for (const sibling of path) {
    if (level.top === 0) return false
    if (level.last % 2 === 1 || level.last === level.top) {
      if (level.first < level.last) hash1 = nodeHash(sibling, hash1)
      hash2 = nodeHash(sibling, hash2)
      level = riseToOdd(level)
    } else hash2 = nodeHash(hash2, sibling)
    level = halve(level)
  }
  return level.top === 0 && equalBytes(hash1, root1) && equalBytes(hash2, root2)
}
