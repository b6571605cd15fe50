/**
 * What sparsified updates left behind, at home, encrypted at rest: it is made of the data as an update is. What a round
 * starts from is fixed before it is used, and what it leaves is stored before its update can leave, so a node that dies makes
 * the very same update again.
 *
 * 1. A round whose block names this organisation hands on what it left behind.
 * 2. Any other round hands on what it started from: its update is in no model, and goes into none later.
 * 3. Which of the two is read from the verified replica. The hub posts the block of a round before it announces the next of
 *    the same training, and letters are taken in order, so the replica knows by then.
 * 4. A digest is stored before its blob is written, and a blob is removed under the lock of the stream, after the state is stored
 *    that does not need it: so a node that dies at any moment leaves nothing that the next round does not remove.
 */

import { fail } from '../../base/errors.ts'
import { sha256Hex } from '../../base/hash.ts'
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
  /** Of rounds before, until they are removed. */
  readonly unneeded?: readonly Digest[]
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
  await removeUnneeded(context, stream)
  return {
    values: from === null ? null : await unseal(context, stream, from),
    async keep(values) {
      const sealed = seal(context, stream, values)
      // A later round has begun: this one is over.
      if (await finish(context, stream, roundId, sha256Hex(sealed))) await store(context.ports.blobs, sealed)
    },
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
    const unneeded = digestsOf(state).filter((digest) => digest !== from)
    const fresh: StoredResidual = { roundId, from, next: null, height, unneeded }
    await transaction.append(stream, { seq: held?.seq ?? 0, id: `begin/${roundId}`, event: {} }, fresh)
    return fresh
  })
}

const digestsOf = (state: StoredResidual | undefined): Digest[] =>
  [state?.from ?? null, state?.next ?? null, ...(state?.unneeded ?? [])].filter((digest) => digest !== null)

/** What the same round, in another process, has just named again stays: it writes it after it named it. */
async function removeUnneeded({ ports }: OrganisationContext, stream: string): Promise<void> {
  await ports.store.transact(async (transaction) => {
    const held = await transaction.lockStream(stream)
    const { unneeded = [], ...state } = (held?.state as StoredResidual | undefined) ?? { from: null, next: null }
    if (held === undefined || unneeded.length === 0) return
    for (const digest of unneeded) if (digest !== state.from && digest !== state.next) await ports.blobs.remove(digest)
    await transaction.append(stream, { seq: held.seq, id: `removed/${held.seq}`, event: {} }, state)
  })
}

/** True if the round goes on and hands on `next`. */
async function finish(context: OrganisationContext, stream: string, roundId: RoundId, next: Digest): Promise<boolean> {
  return context.ports.store.transact(async (transaction) => {
    const held = await transaction.lockStream(stream)
    const state = held?.state as StoredResidual | undefined
    if (held === undefined || state?.roundId !== roundId) return false
    if (state.next === next) return true
    const unneeded = [...(state.unneeded ?? []), ...(state.next === null ? [] : [state.next])]
    const id = `finish/${roundId}/${next}`
    await transaction.append(stream, { seq: held.seq, id, event: {} }, { ...state, next, unneeded })
    return true
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

function seal(context: OrganisationContext, label: string, values: Float32Array): Uint8Array {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
  return sealerOf(context).sealBytes(label, bytes)
}

async function unseal(context: OrganisationContext, label: string, digest: Digest): Promise<Float32Array> {
  const bytes = sealerOf(context).openBytes(label, await readWhole(context.ports.blobs, digest))
  if (bytes.length % 4 !== 0) fail('internal', 'what was left behind is malformed')
  // A copy, since a view of float32 must begin at a multiple of four.
  return new Float32Array(bytes.slice().buffer)
}
