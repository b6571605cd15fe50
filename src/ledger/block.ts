/**
 * The block: what the federation says about one model. Field names are those of the ledger document (sections 3.5, 6.1).
 * `hash` is SHA-256 over the canonical block without `hash` and `org_signatures`; organisations sign that hash.
 */

import { z } from 'zod'
import { fromHex } from '../base/bytes.ts'
import type { Json } from '../base/canonical.ts'
import { fail } from '../base/errors.ts'
import { digestOf } from '../base/hash.ts'
import { type Digest, isDigest, type OrganisationId } from '../base/ids.ts'
import { type PublicKey, type SecretKey, type Signature, sign, verify } from '../base/signature.ts'

export interface AggregationMetrics {
  readonly round: number
  /** Number of participants. */
  readonly num_clients: number
  /** ||w_new - w_old|| / ||w_old||. */
  readonly convergence: number
  /** ||w_new - w_old||. */
  readonly norm_difference: number
  /** Norm of the weighted mean update. */
  readonly gradient_norm: number
  readonly [metric: string]: Json
}

export interface Participant {
  readonly org_id: OrganisationId
  readonly sample_count: number
  /** Digest of the contribution's blob. */
  readonly contribution: Digest
}

export interface Provenance {
  readonly model_version: string
  /** Null for a model that was trained from nothing. */
  readonly parent_model: Digest | null
  readonly training_id: string
  readonly round_id: string
  readonly training_config: Json
  readonly data_sources: readonly string[]
  /** Sorted by org_id, each once. */
  readonly participants: readonly Participant[]
  readonly privacy_params: Json
}

export interface Block {
  /** Index of the leaf in the log. */
  readonly height: number
  /** RFC 3339, UTC, milliseconds. */
  readonly timestamp: string
  /** `hash` of the block before; 64 zeros at height 0. */
  readonly prev_hash: string
  readonly model_hash: Digest
  readonly org_signatures: Readonly<Record<OrganisationId, Signature>>
  readonly aggregation_metrics: AggregationMetrics
  readonly provenance: Provenance
  readonly hash: Digest
}

/** What a training asks to have sealed; the rest of a block is the ledger's. */
export type BlockContent = Omit<Block, 'height' | 'timestamp' | 'prev_hash' | 'hash' | 'org_signatures'>

/** As much of a block as its successor depends on. */
export type BlockLink = Pick<Block, 'height' | 'timestamp' | 'hash'>

export const NO_HASH = '0'.repeat(64)

const digestSchema = z.string().refine(isDigest, 'not a SHA-256 digest')
const organisationSchema = z.string().regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/)
const sizeSchema = z.number().nonnegative()
const timestampSchema = z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)

export const blockContentSchema = z.strictObject({
  model_hash: digestSchema,
  aggregation_metrics: z
    .object({
      round: z.int().nonnegative(),
      num_clients: z.int().nonnegative(),
      convergence: sizeSchema,
      norm_difference: sizeSchema,
      gradient_norm: sizeSchema,
    })
    .catchall(z.unknown()),
  provenance: z.strictObject({
    model_version: z.string().min(1).max(128),
    parent_model: digestSchema.nullable(),
    training_id: z.string().regex(/^[a-z0-9-]{1,64}$/),
    round_id: z.string().regex(/^[a-z0-9-]{1,80}$/),
    training_config: z.unknown(),
    data_sources: z.array(z.string().min(1).max(256)).max(1000),
    participants: z.array(
      z.strictObject({ org_id: organisationSchema, sample_count: z.int().positive(), contribution: digestSchema }),
    ),
    privacy_params: z.unknown(),
  }),
})

export const blockSchema = blockContentSchema.extend({
  height: z.int().nonnegative(),
  timestamp: timestampSchema,
  prev_hash: digestSchema,
  org_signatures: z.record(organisationSchema, z.string().regex(/^[A-Za-z0-9_-]{86}$/)),
  hash: digestSchema,
})

/** SHA-256 of the canonical block without `hash` and `org_signatures`. */
export function blockHash(block: Omit<Block, 'hash' | 'org_signatures'>): Digest {
  const { height, timestamp, prev_hash, model_hash, aggregation_metrics, provenance } = block
  return digestOf({ height, timestamp, prev_hash, model_hash, aggregation_metrics, provenance })
}

/** The block that follows `previous`, without signatures. `at`: milliseconds since the epoch; time never runs backwards. */
export function proposeBlock(content: BlockContent, previous: BlockLink | undefined, at: number): Block {
  const { model_hash, aggregation_metrics, provenance } = content
  const time = Math.max(at, previous === undefined ? at : Date.parse(previous.timestamp))
  const height = previous === undefined ? 0 : previous.height + 1
  const prev_hash = previous?.hash ?? NO_HASH
  const unsigned = {
    height,
    timestamp: new Date(time).toISOString(),
    prev_hash,
    model_hash,
    aggregation_metrics,
    provenance,
  }
  return { ...unsigned, org_signatures: {}, hash: blockHash(unsigned) }
}

function hashBytes(hash: string): Uint8Array {
  return fromHex(hash) ?? fail('invalid-request', 'a block hash is 64 lowercase hex digits')
}

/** An organisation's signature over the block's hash, which it recomputes: it signs what it has seen, not what it was told. */
export function signBlock(block: Block, secret: SecretKey): Signature {
  if (blockHash(block) !== block.hash)
    fail('ledger-invalid', 'the hash of the proposed block is wrong', { reason: 'hash-wrong' })
  return sign('block', hashBytes(block.hash), secret)
}

/** Whether this key signed this hash of a block. */
export function verifyHashSignature(hash: Digest, signature: Signature, publicKey: PublicKey): boolean {
  return verify('block', hashBytes(hash), signature, publicKey)
}

/** Whether the block carries a signature of `organisation` by this key. Does not recompute the hash. */
export function verifyBlockSignature(block: Block, organisation: OrganisationId, publicKey: PublicKey): boolean {
  const signature = Object.hasOwn(block.org_signatures, organisation) ? block.org_signatures[organisation] : undefined
  return signature !== undefined && verifyHashSignature(block.hash, signature, publicKey)
}
