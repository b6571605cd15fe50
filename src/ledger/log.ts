/**
 * The part of the log that a machine keeps as its state: size, compact range, newest block, newest checkpoint. JSON, and
 * small: it is stored with every event.
 */

import { fromHex, toHex, utf8 } from '../base/bytes.ts'
import { fail } from '../base/errors.ts'
import type { Digest } from '../base/ids.ts'
import type { RecordWrite } from '../base/machine.ts'
import type { Block, BlockLink } from './block.ts'
import { appendLeaf, type CompactRange, type Hash, leafHash, rangeRoot } from './merkle.ts'
import { progressOf, type Trainings } from './rules.ts'

export interface LogState {
  /** Number of blocks. */
  readonly size: number
  /** Compact range, hex, oldest leaves first. */
  readonly roots: readonly string[]
  readonly head: BlockLink | null
  /** Signed note of the newest tree. */
  readonly checkpoint: string | null
  readonly trainings: Trainings
}

export const EMPTY_LOG: LogState = { size: 0, roots: [], head: null, checkpoint: null, trainings: {} }

function rangeOf(log: LogState): CompactRange {
  return {
    size: log.size,
    roots: log.roots.map((root) => fromHex(root) ?? fail('internal', 'a stored hash is not hex')),
  }
}

/** The tree with this leaf appended: its state and its root. */
export function appendToTree(log: LogState, leaf: string): { readonly roots: readonly string[]; readonly root: Hash } {
  const range = appendLeaf(rangeOf(log), leafHash(utf8(leaf)))
  return { roots: range.roots.map(toHex), root: rangeRoot(range) }
}

/** The log after a block whose checks are done. */
export function extendLog(log: LogState, block: Block, roots: readonly string[], checkpoint: string): LogState {
  const head = { height: block.height, timestamp: block.timestamp, hash: block.hash }
  return { size: log.size + 1, roots, head, checkpoint, trainings: { ...log.trainings, ...progressOf(block) } }
}

/** Key of a block in the collection `ledger`: sorts by height. */
export function heightKey(height: number): string {
  return String(height).padStart(12, '0')
}

/** Value in the collection `ledger`. */
export interface LedgerRecord {
  /** Canonical JSON of the block. */
  readonly leaf: string
  /** Signed note of the tree of `height + 1` leaves. */
  readonly checkpoint: string
}

/** Value in the collection `model`, under the model hash: the newest block that sealed it. */
export interface ModelRecord {
  readonly height: number
}

/** What readers find once the block is part of the log. */
export function blockRecords(block: Block, leaf: string, checkpoint: string): RecordWrite[] {
  const record: LedgerRecord = { leaf, checkpoint }
  const model: ModelRecord = { height: block.height }
  return [
    { collection: 'ledger', key: heightKey(block.height), value: record },
    { collection: 'model', key: block.model_hash satisfies Digest, value: model },
  ]
}
