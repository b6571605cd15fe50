/**
 * A leaf is the canonical JSON of a block, as bytes the log commits to. A leaf from outside is hostile: it must be the
 * very bytes that this program would write for the block that it reads, so that no two readers can read two blocks.
 */

import { utf8 } from '../base/bytes.ts'
import { canonicalJson } from '../base/canonical.ts'
import { fail } from '../base/errors.ts'
import { type Block, blockSchema } from './block.ts'

/** Entry size limit of C2SP tlog-tiles: bundles carry a 16-bit length. */
export const LEAF_BYTES_MAX = 65_535

/** Deeper nesting is refused, so that no verdict depends on how much stack a reader has left. */
const DEPTH_MAX = 64

function invalid(reason: string, message: string): never {
  fail('ledger-invalid', message, { reason })
}

/** The leaf of a block. @throws ledger-invalid, details.reason leaf-too-large */
export function encodeLeaf(block: Block): string {
  const leaf = canonicalJson(block)
  checkSize(leaf)
  return leaf
}

function checkSize(leaf: string): void {
  // A UTF-16 unit is at most three bytes of UTF-8: most leaves need no encoding to know that they are small enough.
  if (leaf.length * 3 > LEAF_BYTES_MAX && (leaf.length > LEAF_BYTES_MAX || utf8(leaf).length > LEAF_BYTES_MAX))
    invalid('leaf-too-large', `a leaf has at most ${LEAF_BYTES_MAX} bytes`)
}

function count(leaf: string, bracket: string): number {
  let found = 0
  for (let at = leaf.indexOf(bracket); at >= 0; at = leaf.indexOf(bracket, at + 1)) found++
  return found
}

function checkDepth(leaf: string): void {
  if (count(leaf, '{') + count(leaf, '[') <= DEPTH_MAX) return
  let depth = 0
  let quoted = false
  for (let i = 0; i < leaf.length; i++) {
    const unit = leaf.charCodeAt(i)
    if (quoted) {
      if (unit === 0x5c) i++
      else if (unit === 0x22) quoted = false
    } else if (unit === 0x22) quoted = true
    else if (unit === 0x7b || unit === 0x5b) depth++
    else if (unit === 0x7d || unit === 0x5d) depth--
    if (depth > DEPTH_MAX) invalid('leaf-too-deep', `a leaf nests at most ${DEPTH_MAX} levels`)
  }
}

function parseJson(leaf: string): unknown {
  try {
    return JSON.parse(leaf)
  } catch {
    return invalid('leaf-not-json', 'the leaf is not JSON')
  }
}

/** A value in the form of a block. @throws ledger-invalid, details.reason block-malformed */
export function parseBlock(value: unknown): Block {
  const parsed = blockSchema.safeParse(value)
  if (parsed.success) return parsed.data as unknown as Block
  const issue = parsed.error.issues[0]
  return invalid('block-malformed', `not a block: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'malformed'}`)
}

function canonical(value: unknown): string | undefined {
  try {
    return canonicalJson(value)
  } catch {
    return undefined
  }
}

/**
 * The block of a leaf. Duplicated keys, other spellings of a number or string, white space, and members that the schema
 * would drop all show as a difference between the leaf and the canonical form of what was read from it.
 * @throws ledger-invalid, details.reason leaf-too-large | leaf-too-deep | leaf-not-json | block-malformed | leaf-not-canonical
 */
export function decodeLeaf(leaf: string): Block {
  checkSize(leaf)
  checkDepth(leaf)
  const block = parseBlock(parseJson(leaf))
  if (canonical(block) !== leaf) invalid('leaf-not-canonical', 'the leaf is not the canonical JSON of its block')
  return block
}
