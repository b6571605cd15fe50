/** Parameter files of threshold Paillier: everything that is needed, fixed-size hex, strict, versioned. */

import { z } from 'zod'
import { fail } from '../../../base/errors.ts'
import { digestOf } from '../../../base/hash.ts'
import type { Digest, OrganisationId } from '../../../base/ids.ts'
import { malformed } from '../container.ts'
import { bitLength, bytesOf } from '../numbers.ts'
import { type Packing, packingFor } from '../packing.ts'
import { toHex } from '../../../base/bytes.ts'

export const PARAMETERS_FORMAT = 'entente-paillier-parameters-1'
export const SHARE_FORMAT = 'entente-paillier-share-1'
/** More would make Delta = n! longer than the key. */
export const ORGANISATIONS_MAX = 150

/** 2048 bits: strength 112; 3072: 128 (NIST SP 800-57 part 1, table 2). Shorter ones are for tests, and named so. */
export const MODULUS_BITS = [512, 2048, 3072] as const
export type ModulusBits = (typeof MODULUS_BITS)[number]

const hex = z.string().regex(/^[0-9a-f]+$/)
const organisation = z.string().regex(/^(?!hub$|operator$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/) as unknown as z.ZodType<
  OrganisationId,
  string
>
const digest = z.string().regex(/^[0-9a-f]{64}$/) as unknown as z.ZodType<Digest, string>

const parametersSchema = z.strictObject({
  format: z.literal(PARAMETERS_FORMAT),
  modulusBits: z.union(MODULUS_BITS.map((bits) => z.literal(bits))),
  /** N = p q with p = 2 p' + 1, q = 2 q' + 1. */
  modulus: hex,
  /** Bits of the random exponent of an encryption. */
  exponentBits: z.int().min(256).max(1536).multipleOf(128),
  /** h_s = h^N mod N^2 of Damgard, Jurik and Nielsen 2010. */
  base: hex,
  organisations: z.array(organisation).min(1).max(ORGANISATIONS_MAX),
  threshold: z.int().min(1),
  /** v, a generator of the squares mod N^2 with overwhelming probability. */
  verificationBase: hex,
  /** v_i = v^(Delta s_i) mod N^2. */
  verificationKeys: z.array(hex),
  levels: z.int().min(1),
  contributionsMax: z.int().min(1),
})
export type PaillierParameters = z.infer<typeof parametersSchema>

const shareSchema = z.strictObject({
  format: z.literal(SHARE_FORMAT),
  parameters: digest,
  organisation,
  /** Position among the organisations, from 1: the X of the polynomial. */
  index: z.int().min(1).max(ORGANISATIONS_MAX),
  /** s_i = f(i) mod N m. Secret. */
  share: hex,
})
export type PaillierShare = z.infer<typeof shareSchema>

/** The parameters as numbers, with what follows from them. */
export interface PaillierKey {
  readonly source: PaillierParameters
  readonly digest: Digest
  readonly n: bigint
  readonly nSquared: bigint
  readonly base: bigint
  readonly verificationBase: bigint
  readonly verificationKeys: readonly bigint[]
  /** Delta = n!, for n organisations. */
  readonly delta: bigint
  readonly packing: Packing
  readonly elementBytes: number
}

export const elementHex = (value: bigint, bits: number): string => toHex(bytesOf(value, bits / 8))

export function factorial(n: number): bigint {
  let product = 1n
  for (let i = 2n; i <= BigInt(n); i++) product *= i
  return product
}

function refuse(what: string): never {
  fail('input-invalid', `the parameters of Paillier ${what}`, { reason: 'wrong-parameters' })
}

/** @throws input-invalid for anything that `deal` would not have written */
export function readParameters(json: unknown): PaillierKey {
  const parsed = parametersSchema.safeParse(json)
  if (!parsed.success) refuse(`are not of this version: ${parsed.error.issues[0]?.path.join('.') ?? ''}`)
  const source = parsed.data
  const { modulusBits, organisations, threshold, verificationKeys } = source
  const sorted = organisations.every((name, i) => i === 0 || (organisations[i - 1] ?? '') < name)
  if (!sorted || threshold > organisations.length || verificationKeys.length !== organisations.length)
    refuse('name organisations, threshold and verification keys that do not belong together')
  const n = element(source.modulus, modulusBits)
  const nSquared = n * n
  if (bitLength(n) !== modulusBits || n % 2n === 0n) refuse('have no modulus of the size that they name')
  if (source.exponentBits > modulusBits) refuse('have exponents longer than the modulus')
  const unit = (value: string): bigint => {
    const number = element(value, 2 * modulusBits)
    return number > 1n && number < nSquared ? number : refuse('hold a number out of range')
  }
  return {
    source,
    digest: digestOf(source),
    n,
    nSquared,
    base: unit(source.base),
    verificationBase: unit(source.verificationBase),
    verificationKeys: verificationKeys.map(unit),
    delta: factorial(organisations.length),
    packing: packingFor(modulusBits - 1, source),
    elementBytes: modulusBits / 4,
  }
}

function element(text: string, bits: number): bigint {
  return text.length === bits / 4 ? BigInt(`0x${text}`) : refuse('hold a number of another length')
}

export interface OpenShare {
  readonly organisation: OrganisationId
  readonly index: number
  readonly secret: bigint
}

/** @throws input-invalid for a share of other parameters or of nobody. The message never holds the share. */
export function readShare(json: unknown, key: PaillierKey): OpenShare {
  const parsed = shareSchema.safeParse(json)
  if (!parsed.success) malformed('wrong-share', 'this is no share of threshold Paillier of this version')
  const { parameters, organisation, index, share } = parsed.data
  if (parameters !== key.digest) malformed('wrong-parameters', 'the share belongs to other public parameters')
  if (key.source.organisations[index - 1] !== organisation)
    malformed('wrong-share', `the parameters have no organisation ${organisation} at ${index}`)
  if (share.length !== 2 * key.elementBytes) malformed('wrong-share', 'the share has another length')
  return { organisation, index, secret: BigInt(`0x${share}`) }
}
