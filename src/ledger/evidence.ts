/**
 * Proofs that travel alone: that a block is in the log of a checkpoint, and that one checkpoint grew from another. An
 * auditor needs them, the public key of the log, and nothing else of the ledger.
 */

import { z } from 'zod'
import { fromBase64, toBase64, utf8 } from '../base/bytes.ts'
import { fail } from '../base/errors.ts'
import type { PublicKey } from '../base/signature.ts'
import type { Block } from './block.ts'
import { openCheckpoint } from './checkpoint.ts'
import type { LedgerExport } from './export.ts'
import { decodeLeaf } from './leaf.ts'
import { type Hash, leafHash } from './merkle.ts'
import { consistencyProof, inclusionProof, subtreesOf, verifyConsistency, verifyInclusion } from './proofs.ts'

/** RFC 9162 section 2.1.3; hashes in base64. */
export interface InclusionEvidence {
  readonly format: 'entente-inclusion-1'
  /** Signed note. */
  readonly checkpoint: string
  readonly leaf: string
  readonly proof: readonly string[]
}

/** RFC 9162 section 2.1.4; hashes in base64. */
export interface ConsistencyEvidence {
  readonly format: 'entente-consistency-1'
  /** Signed notes of the smaller and of the larger tree. */
  readonly older: string
  readonly newer: string
  readonly proof: readonly string[]
}

export interface LogKey {
  readonly origin: string
  readonly hub: PublicKey
}

const hashesSchema = z.array(z.string()).max(64)
const inclusionSchema = z.strictObject({
  format: z.literal('entente-inclusion-1'),
  checkpoint: z.string(),
  leaf: z.string(),
  proof: hashesSchema,
})
const consistencySchema = z.strictObject({
  format: z.literal('entente-consistency-1'),
  older: z.string(),
  newer: z.string(),
  proof: hashesSchema,
})

const invalid = (reason: string, message: string): never => fail('ledger-invalid', message, { reason })

const leafHashes = (leaves: readonly string[]): Hash[] => leaves.map((leaf) => leafHash(utf8(leaf)))

function hashesOf(encoded: readonly string[]): Hash[] {
  return encoded.map((hash) => fromBase64(hash) ?? invalid('proof-malformed', 'a hash of the proof is not base64'))
}

/** Proof that the block at `height` is in an exported ledger. @throws not-found */
export function proveInclusion({ leaves, checkpoint }: LedgerExport, height: number): InclusionEvidence {
  const proof = inclusionProof(height, leaves.length, subtreesOf(leafHashes(leaves)))
  return { format: 'entente-inclusion-1', checkpoint, leaf: leaves[height] as string, proof: proof.map(toBase64) }
}

/** The proven block. @throws ledger-invalid */
export function checkInclusion(value: unknown, { origin, hub }: LogKey): Block {
  const parsed = inclusionSchema.safeParse(value)
  if (!parsed.success) return invalid('proof-malformed', 'not a proof of inclusion')
  const { leaf, checkpoint, proof } = parsed.data
  const { size, root } = openCheckpoint(checkpoint, origin, hub)
  const block = decodeLeaf(leaf)
  if (!verifyInclusion(block.height, size, leafHash(utf8(leaf)), hashesOf(proof), root))
    return invalid('proof-wrong', 'the proof does not show that the block is in the log')
  return block
}

/** Proof that an exported ledger begins with the tree of an older checkpoint. @throws ledger-invalid, not-found */
export function proveConsistency(exported: LedgerExport, older: string, { origin, hub }: LogKey): ConsistencyEvidence {
  const { size } = openCheckpoint(older, origin, hub)
  const proof = consistencyProof(size, exported.leaves.length, subtreesOf(leafHashes(exported.leaves)))
  return { format: 'entente-consistency-1', older, newer: exported.checkpoint, proof: proof.map(toBase64) }
}

/** Sizes of both trees. @throws ledger-invalid; then the log may have shown two histories. */
export function checkConsistency(value: unknown, { origin, hub }: LogKey): { older: number; newer: number } {
  const parsed = consistencySchema.safeParse(value)
  if (!parsed.success) return invalid('proof-malformed', 'not a proof of consistency')
  const older = openCheckpoint(parsed.data.older, origin, hub)
  const newer = openCheckpoint(parsed.data.newer, origin, hub)
  if (!verifyConsistency(older.size, newer.size, older.root, newer.root, hashesOf(parsed.data.proof)))
    return invalid('proof-wrong', 'the proof does not show that the newer log grew from the older')
  return { older: older.size, newer: newer.size }
}
