/**
 * Parameter files of CKKS. All organisations hold one secret key: there is nothing to deal but copies of it, and each
 * organisation can read every contribution that it gets hold of. Only the hub cannot.
 */

import { z } from 'zod'
import { fromBase64Url } from '../../base/bytes.ts'
import { fail } from '../../base/errors.ts'
import { digestOf } from '../../base/hash.ts'
import type { Digest, OrganisationId } from '../../base/ids.ts'
import { malformed } from '../../privacy/homomorphic/container.ts'

export const CKKS_PARAMETERS_FORMAT = 'entente-ckks-parameters-1'
export const CKKS_SHARE_FORMAT = 'entente-ckks-share-1'

/**
 * Sets of 128 bits of security (homomorphic encryption standard: at N = 8192 at most 218 bits of modulus). The last prime is
 * the one that SEAL keeps for itself. `scaleBits` leaves 19 bits and a sign for sums: 2^15 levels of 16 contributions.
 */
export const CKKS_SETS = {
  '50-50': { primes: [50, 50], scaleBits: 30 },
  '60-60-60': { primes: [60, 60, 60], scaleBits: 98 },
} as const
export type CkksSet = keyof typeof CKKS_SETS

export const RING_DEGREE = 8192
export const SUM_BITS = 19

const organisation = z.string().regex(/^(?!hub$|operator$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/) as unknown as z.ZodType<
  OrganisationId,
  string
>
const base64 = z.string().regex(/^[A-Za-z0-9_-]+$/)

const parametersSchema = z.strictObject({
  format: z.literal(CKKS_PARAMETERS_FORMAT),
  ringDegree: z.literal(RING_DEGREE),
  set: z.enum(['50-50', '60-60-60']),
  /** As SEAL writes it. */
  publicKey: base64,
  organisations: z.array(organisation).min(1).max(150),
  threshold: z.int().min(1),
  levels: z.int().min(1),
  contributionsMax: z.int().min(1),
})
export type CkksParameters = z.infer<typeof parametersSchema>

const shareSchema = z.strictObject({
  format: z.literal(CKKS_SHARE_FORMAT),
  parameters: z.string().regex(/^[0-9a-f]{64}$/),
  organisation,
  /** As SEAL writes it. Secret, and the same for all. */
  secretKey: base64,
})
export type CkksShare = z.infer<typeof shareSchema>

export interface CkksKey {
  readonly source: CkksParameters
  readonly digest: Digest
  readonly publicKey: Uint8Array
}

function refuse(what: string): never {
  fail('input-invalid', `the parameters of CKKS ${what}`, { reason: 'wrong-parameters' })
}

/** @throws input-invalid for anything that `dealNewCkks` would not have written */
export function readCkksParameters(json: unknown): CkksKey {
  const parsed = parametersSchema.safeParse(json)
  if (!parsed.success) refuse(`are not of this version: ${parsed.error.issues[0]?.path.join('.') ?? ''}`)
  const { organisations, threshold, levels, contributionsMax } = parsed.data
  const sorted = organisations.every((name, i) => i === 0 || (organisations[i - 1] ?? '') < name)
  if (!sorted || threshold > organisations.length) refuse('name organisations and a threshold that do not fit')
  if (levels * contributionsMax >= 2 ** SUM_BITS) refuse(`allow sums of more than ${SUM_BITS} bits`)
  const publicKey = fromBase64Url(parsed.data.publicKey) ?? refuse('hold a key that is not base64url')
  return { source: parsed.data, digest: digestOf(parsed.data), publicKey }
}

/** The secret key of a share, and its holder's position from 1. @throws input-invalid; the message never holds the key */
export function readCkksShare(json: unknown, key: CkksKey): { index: number; secretKey: Uint8Array } {
  const parsed = shareSchema.safeParse(json)
  if (!parsed.success) malformed('wrong-share', 'this is no share of CKKS of this version')
  if (parsed.data.parameters !== key.digest) malformed('wrong-parameters', 'the share belongs to other parameters')
  const index = key.source.organisations.indexOf(parsed.data.organisation) + 1
  if (index === 0) malformed('wrong-share', `the parameters do not name ${parsed.data.organisation}`)
  const secretKey = fromBase64Url(parsed.data.secretKey)
  return { index, secretKey: secretKey ?? malformed('wrong-share', 'the key is not base64url') }
}
