/** Interpolation at 0 in the exponent, without division: Shoup 2000, "Practical Threshold Signatures", equation (1). */

import { fail } from '../../../base/errors.ts'
import { gcd } from '../numbers.ts'

export interface Interpolation {
  /** Integers mu_i with sum_i mu_i f(i) = factor f(0). */
  readonly coefficients: readonly bigint[]
  readonly factor: bigint
}

/**
 * lambda_i = Delta prod_{j in S, j != i} j / (j - i) is an integer since Delta = n!. What all of them and Delta have in
 * common is divided out: smaller exponents, the same sum.
 * @param indices distinct, from 1
 */
export function interpolate(indices: readonly number[], delta: bigint): Interpolation {
  const lambdas = indices.map((i) => {
    let numerator = delta
    let denominator = 1n
    for (const j of indices)
      if (j !== i) {
        numerator *= BigInt(j)
        denominator *= BigInt(j - i)
      }
    if (denominator === 0n || numerator % denominator !== 0n) fail('internal', 'an index is out of range or repeated')
    return numerator / denominator
  })
  const common = lambdas.reduce((sofar, lambda) => gcd(sofar, lambda), delta)
  return { coefficients: lambdas.map((lambda) => lambda / common), factor: delta / common }
}
