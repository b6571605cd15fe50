/**
 * The trusted dealer of Damgard and Jurik 2001, section 4.1, for s = 1. It sees the factors of N and every share: the
 * ceremony must forget them.
 */

import type { OrganisationId } from '../../../base/ids.ts'
import { fail } from '../../../base/errors.ts'
import { bitLength, gcd, inverse, type PowerOf, randomBelow, randomUnit } from '../numbers.ts'
import type { Dealt, DealRequest, RandomBytes } from '../scheme.ts'
import {
  elementHex,
  factorial,
  type ModulusBits,
  PARAMETERS_FORMAT,
  type PaillierParameters,
  type PaillierShare,
  readParameters,
  SHARE_FORMAT,
} from './parameters.ts'

export interface PaillierDealing extends DealRequest {
  readonly modulusBits: ModulusBits
  /** Two distinct safe primes of half the bits each. That they are prime is the caller's to check. */
  readonly primes: readonly [bigint, bigint]
  /** See docs/decisions/0016: 256, or half the modulus as in the paper. */
  readonly exponentBits: number
}

/** @throws invalid-request for primes or a threshold that do not fit */
export function dealPaillier(dealing: PaillierDealing, random: RandomBytes, powerOf: PowerOf): Dealt {
  const { modulusBits, organisations, threshold } = dealing
  const n = modulusOf(dealing)
  const m = ((dealing.primes[0] - 1n) / 2n) * ((dealing.primes[1] - 1n) / 2n)
  if (!(threshold >= 1 && threshold <= organisations.length))
    fail('invalid-request', `a threshold lies between 1 and ${organisations.length}`)
  const secrets = shareSecret(n, m, dealing, random)
  const square = powerOf(n * n)
  const verificationBase = square(randomUnit(n * n, random), 2n)
  const delta = factorial(organisations.length)
  const write = (value: bigint): string => elementHex(value, 2 * modulusBits)
  const parameters: PaillierParameters = {
    format: PARAMETERS_FORMAT,
    modulusBits,
    modulus: elementHex(n, modulusBits),
    exponentBits: dealing.exponentBits,
    base: write(square(n - (randomUnit(n, random) ** 2n % n), n)),
    organisations: [...organisations],
    threshold,
    verificationBase: write(verificationBase),
    verificationKeys: secrets.map((secret) => write(square(verificationBase, delta * secret))),
    levels: dealing.levels,
    contributionsMax: dealing.contributionsMax,
  }
  const { digest } = readParameters(parameters)
  const shareOf = (organisation: OrganisationId, i: number): PaillierShare => ({
    format: SHARE_FORMAT,
    parameters: digest,
    organisation,
    index: i + 1,
    share: write(secrets[i] ?? 0n),
  })
  return {
    parameters,
    shares: organisations.map((organisation, i) => ({ organisation, share: shareOf(organisation, i) })),
  }
}

/** N = p q. Safe primes above 7 are 3 mod 4, so -1 is no square: what h = -x^2 needs. */
function modulusOf({ modulusBits, primes: [p, q] }: PaillierDealing): bigint {
  const n = p * q
  const sizes = [p, q].every((prime) => bitLength(prime) === modulusBits / 2 && prime % 4n === 3n)
  if (!sizes || p === q || bitLength(n) !== modulusBits || gcd(n, (p - 1n) * (q - 1n)) !== 1n)
    fail('invalid-request', `two safe primes of ${modulusBits / 2} bits are needed, whose product has ${modulusBits}`)
  return n
}

/**
 * "Pick d to satisfy d = 0 mod m and d = 1 mod n^s ... make the polynomial f(X) = sum a_i X^i mod n^s m, by picking a_i
 * (for 0 < i < w) as random values from {0, ..., n^s m - 1} and a_0 = d. The secret share of decryption server i is f(i)."
 */
function shareSecret(n: bigint, m: bigint, { threshold, organisations }: DealRequest, random: RandomBytes): bigint[] {
  const order = n * m
  const d = m * (inverse(m, n) ?? fail('invalid-request', 'the primes do not make a key'))
  const coefficients = [d, ...Array.from({ length: threshold - 1 }, () => randomBelow(order, random))]
  return organisations.map((_, i) => coefficients.reduceRight((sum, a) => (sum * BigInt(i + 1) + a) % order, 0n))
}
