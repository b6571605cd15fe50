/**
 * What a round leaves in an organisation's blob store and nobody reads after it: the update in the clear, its masked or
 * encrypted form, what others contributed under encryption, partial decryptions. Whoever steals the disk later finds none of it.
 *
 * 1. A blob is named in the database before it is written, where its digest is known before: a node that dies knows of it.
 * 2. It is removed after the state is stored that ends the round here, by an effect, which is carried out again after a crash.
 * 3. A blob that another round named too stays until that has ended as well. Naming and removing exclude each other by the lock of
 *    the digest's stream, and what is named is written after: so nothing is removed that a round has just written again.
 *
 * Models are never named, and stay.
 */

import { sha256Hex } from '../../base/hash.ts'
import type { Digest, RoundId } from '../../base/ids.ts'
import { writeBlob } from '../model-files.ts'
import type { Transaction } from '../ports.ts'
import type { OrganisationContext } from './identity.ts'

/** By round and digest: true while it is there. */
export const ROUND_BLOBS = 'round-blob'
/** By round: there, before anything is removed. */
const FORGOTTEN = 'forgotten-round'
/** Of a masked round: the update, its vector. Under encryption, as many more as there are others. */
const BLOBS_MAX = 1000

interface Named {
  /** That still read it. */
  readonly rounds: readonly RoundId[]
}

type Context = Pick<OrganisationContext, 'ports'>

/** Durable when it resolves. */
export async function nameRoundBlob({ ports }: Context, round: RoundId, digest: Digest): Promise<void> {
  await ports.store.transact((transaction) =>
    change(transaction, round, digest, true, (rounds) => [...new Set([...rounds, round])]),
  )
}

export async function writeRoundBlob(
  context: Context,
  round: RoundId,
  bytes: Uint8Array,
): Promise<{ digest: Digest; size: number }> {
  const digest = sha256Hex(bytes)
  await nameRoundBlob(context, round, digest)
  return writeBlob(context.ports.blobs, bytes, digest)
}

/** Removes what this round named and no other reads; again and again, if need be. */
export async function forgetRoundBlobs({ ports }: Context, round: RoundId): Promise<void> {
  await ports.store.transact((transaction) =>
    transaction.writeRecords([{ collection: FORGOTTEN, key: round, value: true }]),
  )
  const [from, to] = [keyOf(round, '0'.repeat(64)), keyOf(round, 'f'.repeat(64))]
  for (const { key } of await ports.store.readRecords(ROUND_BLOBS, from, to, BLOBS_MAX)) {
    const digest = key.slice(round.length + 1) as Digest
    // Also what was removed before: a write that was under way then may have ended since.
    await ports.store.transact((transaction) =>
      change(transaction, round, digest, false, async (rounds) => {
        const others = rounds.filter((one) => one !== round)
        if (others.length === 0) await ports.blobs.remove(digest)
        return others
      }),
    )
  }
}

/**
 * After work that may have outlived its round: a job that was slow, or done twice, may have named what it stored after all else
 * was forgotten. If it named it before, forgetting finds it.
 */
export async function forgetIfOver(context: Context, round: RoundId): Promise<void> {
  if ((await context.ports.store.readRecord(FORGOTTEN, round)) !== undefined) await forgetRoundBlobs(context, round)
}

const keyOf = (round: RoundId, digest: string): string => `${round}/${digest}`

async function change(
  transaction: Transaction,
  round: RoundId,
  digest: Digest,
  isThere: boolean,
  next: (rounds: readonly RoundId[]) => readonly RoundId[] | Promise<readonly RoundId[]>,
): Promise<void> {
  const stream = `round-blob/${digest}`
  const held = await transaction.lockStream(stream)
  const seq = held?.seq ?? 0
  const state: Named = { rounds: await next((held?.state as Named | undefined)?.rounds ?? []) }
  await transaction.append(stream, { seq, id: `${seq}`, event: {} }, state)
  await transaction.writeRecords([{ collection: ROUND_BLOBS, key: keyOf(round, digest), value: isThere }])
}
