/**
 * An organisation's copy of the log. It believes nothing that it has not checked: the block's rules, the organisations'
 * signatures, the log's signature, and that the signed root is the root of everything received so far plus this block.
 */

import { equalBytes } from '../base/bytes.ts'
import { fail } from '../base/errors.ts'
import type { Digest } from '../base/ids.ts'
import type { Machine, Step } from '../base/machine.ts'
import type { PublicKey } from '../base/signature.ts'
import type { Block } from './block.ts'
import { openCheckpoint } from './checkpoint.ts'
import { decodeLeaf } from './leaf.ts'
import { appendToTree, blockRecords, EMPTY_LOG, extendLog, type LedgerRecord, type LogState } from './log.ts'
import { contentFaults, linkFaults, type Members, progressFaults, refuseFaults, signatureFaults } from './rules.ts'

export interface BlockReceived {
  readonly type: 'block-received'
  readonly leaf: string
  readonly checkpoint: string
  readonly members: Members
  /** The record that this node has at that height, if any: lets the machine compare with blocks long past. */
  readonly known?: LedgerRecord
  /** Milliseconds since the epoch. */
  readonly at: number
}

export type ReplicaEvent = BlockReceived
export type ReplicaEffect = { readonly type: 'block-verified'; readonly block: Block }

export interface ReplicaState {
  readonly log: LogState
  /** Newest blocks, to tell a repetition from a contradiction. */
  readonly recent: readonly { readonly height: number; readonly hash: Digest; readonly checkpoint: string }[]
}

export interface ReplicaOptions {
  readonly origin: string
  readonly hubKey: PublicKey
}

const RECENT_KEPT = 16
const CLOCK_SKEW_MS_MAX = 300_000

/** A block at a height that the replica has: the same again, or proof that the log signed two histories. */
function compareKnown(state: ReplicaState, block: Block, event: BlockReceived): Step<ReplicaState, ReplicaEffect> {
  const known = event.known
    ? { hash: decodeLeaf(event.known.leaf).hash, checkpoint: event.known.checkpoint }
    : state.recent.find(({ height }) => height === block.height)
  if (known !== undefined && known.hash !== block.hash) conflict(block.height, known.checkpoint, event.checkpoint)
  return { state, effects: [] }
}

function conflict(height: number, ours: string | null, theirs: string): never {
  fail('ledger-conflict', `the log shows two histories at height ${height}`, { height, notes: [ours, theirs] })
}

/** Every rule, in the order in which a reader of the faults would ask. */
function checkBlock({ log }: ReplicaState, block: Block, event: BlockReceived): void {
  const previous = log.head ?? undefined
  const faults = [
    ...contentFaults(block),
    ...linkFaults(block, previous),
    ...signatureFaults(block, event.members),
    ...progressFaults(block, log.trainings),
  ]
  // Signed by the log, sound in itself, but grown from another block than ours: not an error but a second history.
  if (faults.length > 0 && faults[0]?.reason === 'prev-hash-wrong')
    conflict(block.height, log.checkpoint, event.checkpoint)
  refuseFaults(faults, block.height)
  if (Date.parse(block.timestamp) > event.at + CLOCK_SKEW_MS_MAX)
    fail('unavailable', `block ${block.height} is dated in the future`)
}

function onReceived(
  state: ReplicaState,
  event: BlockReceived,
  options: ReplicaOptions,
): Step<ReplicaState, ReplicaEffect> {
  const checkpoint = openCheckpoint(event.checkpoint, options.origin, options.hubKey)
  const block = decodeLeaf(event.leaf)
  const { log } = state
  if (checkpoint.size !== block.height + 1)
    fail('ledger-invalid', 'the checkpoint is not that of the block', { reason: 'checkpoint-size' })
  if (block.height < log.size) return compareKnown(state, block, event)
  if (block.height > log.size)
    fail('unavailable', `block ${block.height} arrived before block ${log.size}`, { missing: log.size })
  checkBlock(state, block, event)
  const { roots, root } = appendToTree(log, event.leaf)
  if (!equalBytes(root, checkpoint.root))
    fail('ledger-invalid', 'the signed root is not that of the blocks received', {
      reason: 'root-wrong',
      notes: [log.checkpoint, event.checkpoint],
    })
  const recent = [...state.recent, { height: block.height, hash: block.hash, checkpoint: event.checkpoint }].slice(
    -RECENT_KEPT,
  )
  return {
    state: { log: extendLog(log, block, roots, event.checkpoint), recent },
    effects: [{ type: 'block-verified', block }],
    records: blockRecords(block, event.leaf, event.checkpoint),
  }
}

/** The replica machine, stream `replica` of an organisation. */
export function replicaMachine(options: ReplicaOptions): Machine<ReplicaState, ReplicaEvent, ReplicaEffect> {
  return {
    kind: 'replica',
    initial: () => ({ log: EMPTY_LOG, recent: [] }),
    step: (state, event) => onReceived(state, event, options),
  }
}
