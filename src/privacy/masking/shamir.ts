/**
 * Shamir's secret sharing (Communications of the ACM 22(11), 1979) over a prime field. Share number x, from 1, is the
 * polynomial at x; the secret is the polynomial at 0.
 */

import { fail } from '../../base/errors.ts'
import { type Field, inversesUpTo, modulo, type RandomBytes, randomElement } from './field.ts'

export interface Sharing {
  /** Shares that are needed. */
  readonly threshold: number
  /** Shares that are made. */
  readonly count: number
}

function check({ threshold, count }: Sharing, field: Field): void {
  const sound = Number.isSafeInteger(count) && threshold >= 1 && threshold <= count && BigInt(count) < field.prime
  if (!sound) fail('internal', `a secret cannot be shared ${threshold} of ${count}`)
}

/** The polynomial with these coefficients, constant first, at a small integer x. */
function evaluate(coefficients: readonly bigint[], x: number, { prime }: Field): bigint {
  const at = BigInt(x)
  let value = 0n
  for (let i = coefficients.length - 1; i >= 0; i--) value = (value * at + (coefficients[i] ?? 0n)) % prime
  return value
}

/** Share number x at index x - 1. Fewer than `threshold` of them are independent of the secret. */
export function splitSecret(secret: bigint, sharing: Sharing, field: Field, random: RandomBytes): bigint[] {
  check(sharing, field)
  if (secret < 0n || secret >= field.prime) fail('internal', 'the secret is not an element of the field')
  const rest = Array.from({ length: sharing.threshold - 1 }, () => randomElement(random, field))
  return Array.from({ length: sharing.count }, (_, i) => evaluate([secret, ...rest], i + 1, field))
}

/** Products of small integers are taken in groups that a double holds exactly: big integers cost a hundred times more. */
function productOf(factors: Iterable<number>, { prime }: Field): bigint {
  let product = 1n
  let group = 1
  for (const factor of factors) {
    if (Math.abs(group * factor) > Number.MAX_SAFE_INTEGER) {
      product = (product * BigInt(group)) % prime
      group = 1
    }
    group *= factor
  }
  return (product * BigInt(group)) % prime
}

/** Computes Lagrange's coefficients at 0 for subsets of 1..count. */
export type Interpolation = (present: readonly number[]) => readonly bigint[]

/**
 * For the full set 1..K the coefficient of i is (-1)^(i-1) C(K, i); leaving out m multiplies it by (m - i) / m. Where few
 * are missing, as in a round, that is far less work than the usual quotient of products.
 */
export function interpolationOver(count: number, field: Field): Interpolation {
  const { prime } = field
  const inverses = inversesUpTo(count, field)
  const inverse = (i: number): bigint => inverses[i] ?? 0n
  const full = [0n]
  let binomial = 1n
  for (let i = 1; i <= count; i++) {
    binomial = (((binomial * BigInt(count - i + 1)) % prime) * inverse(i)) % prime
    full.push(i % 2 === 1 ? binomial : (prime - binomial) % prime)
  }
  return (present) => {
    const here = new Set(present)
    if (here.size !== present.length || present.some((x) => !(Number.isInteger(x) && x >= 1 && x <= count)))
      fail('internal', 'shares to interpolate are numbered 1 to their count, each once')
    const missing = Array.from({ length: count }, (_, i) => i + 1).filter((x) => !here.has(x))
    let common = 1n
    for (const m of missing) common = (common * inverse(m)) % prime
    return present.map((i) => {
      const differences = missing.map((m) => m - i)
      return modulo((full[i] ?? 0n) * common * productOf(differences, field), field)
    })
  }
}

/** sum of coefficients[i] * shares[i]: the secret, from at least `threshold` shares of one polynomial. */
export function combineShares(coefficients: readonly bigint[], shares: readonly bigint[], field: Field): bigint {
  if (coefficients.length !== shares.length) fail('internal', 'as many shares are needed as coefficients')
  let sum = 0n
  for (let i = 0; i < shares.length; i++) sum += (coefficients[i] ?? 0n) * (shares[i] ?? 0n)
  return modulo(sum, field)
}
