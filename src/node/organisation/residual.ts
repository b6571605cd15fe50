/**
 * What sparsified updates left behind, at home, encrypted at rest: it is made of the data as an update is. What a round
 * starts from is fixed before it is used, and what it leaves is stored before its update can leave, so a node that dies makes
 * the very same update again.
 *
 * 1. A round whose block names this organisation hands on what it left behind.
 * 2. Any other round hands on what it started from: its update is in no model, and goes into none later.
 * 3. Which of the two is read from the verified replica. The hub posts the block of a round before it announces the next of
 *    the same training, and letters are taken in order, so the replica knows by then.
 */

import { fail } from '../../base/errors.ts'
import type { Digest, RoundId } from '../../base/ids.ts'
import { trainingOf } from '../../learning/block-content.ts'
import type { ReplicaState } from '../../ledger/replica.ts'
import { readWhole, store } from '../homomorphic/blobs.ts'
import { BLOCKS_MAX, createLedgerReader } from '../ledger-reader.ts'
import { createSealer } from '../sealer.ts'
import type { OrganisationContext } from './identity.ts'

interface StoredResidual {
  readonly roundId: RoundId
  /** What the round starts from; null: nothing was left behind. */
  readonly from: Digest | null
  /** What it leaves behind; null until it is known. */
  readonly next: Digest | null
  /** Blocks in the replica when the round began: its own can only come later. */
  readonly height: number
}

export interface Residual {
  /** Null in the first round. */
  readonly values: Float32Array | null
  /** Durable when it resolves. */
  keep(values: Float32Array): Promise<void>
}

/** The same at every call for a round, also in another process. */
export async function openResidual(context: OrganisationContext, roundId: RoundId, round: number): Promise<Residual> {
  const stream = `residual/${trainingOf(roundId, round)}`
  const { from } = await begin(context, stream, roundId)
  return {
    values: from === null ? null : await unseal(context, stream, from),
    keep: async (values) => finish(context, stream, roundId, await seal(context, stream, values)),
  }
}

async function begin(context: OrganisationContext, stream: string, roundId: RoundId): Promise<StoredResidual> {
  const { ports } = context
  const before = (await ports.store.readStream(stream))?.state as StoredResidual | undefined
  if (before?.roundId === roundId) return before
  const height = await replicaSize(context)
  const from = before === undefined ? null : await handedOn(context, before, height)
  return ports.store.transact(async (transaction) => {
    const held = await transaction.lockStream(stream)
    const state = held?.state as StoredResidual | undefined
    if (state?.roundId === roundId) return state
    const fresh: StoredResidual = { roundId, from, next: null, height }
    await transaction.append(stream, { seq: held?.seq ?? 0, id: `begin/${roundId}`, event: {} }, fresh)
    return fresh
  })
}

async function finish(context: OrganisationContext, stream: string, roundId: RoundId, next: Digest): Promise<void> {
  await context.ports.store.transact(async (transaction) => {
    const held = await transaction.lockStream(stream)
    const state = held?.state as StoredResidual | undefined
    // A later round has begun: this one is over.
    if (held === undefined || state?.roundId !== roundId || state.next === next) return
    await transaction.append(stream, { seq: held.seq, id: `finish/${roundId}`, event: {} }, { ...state, next })
  })
}

async function handedOn(
  context: OrganisationContext,
  { roundId, from, next, height }: StoredResidual,
  size: number,
): Promise<Digest | null> {
  const { ports, identity } = context
  const ledger = createLedgerReader(ports.store, async () => size)
  for (let at = height; at < size; at += BLOCKS_MAX)
    for (const { provenance } of await ledger.blocks(at, size - 1, BLOCKS_MAX))
      if (provenance.round_id === roundId)
        return provenance.participants.some(({ org_id }) => org_id === identity.organisation) ? next : from
  return from
}

async function replicaSize({ ports }: OrganisationContext): Promise<number> {
  return ((await ports.store.readStream('replica'))?.state as ReplicaState | undefined)?.log.size ?? 0
}

const sealerOf = ({ identity }: OrganisationContext) => createSealer(identity.secret, 'residual')

async function seal(context: OrganisationContext, label: string, values: Float32Array): Promise<Digest> {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
  return store(context.ports.blobs, sealerOf(context).sealBytes(label, bytes))
}

async function unseal(context: OrganisationContext, label: string, digest: Digest): Promise<Float32Array> {
  const bytes = sealerOf(context).openBytes(label, await readWhole(context.ports.blobs, digest))
  if (bytes.length % 4 !== 0) fail('internal', 'what was left behind is malformed')
  // A copy, since a view of float32 must begin at a multiple of four.
  return new Float32Array(bytes.slice().buffer)
}
