/**
 * The negacyclic number-theoretic transform modulo a prime p = 1 mod 2n: under it, products mod X^n + 1 are products of
 * coordinates. Longa and Naehrig 2016, "Speeding up the Number Theoretic Transform", algorithms 1 and 2.
 */

import { fail } from '../../../base/errors.ts'
import { powerMod, reduce } from './modulus.ts'

export interface Transform {
  readonly p: number
  readonly reciprocal: number
  /** In place; coordinates in [0, p), before and after, of the transform in bit-reversed order. */
  forward(values: Float64Array): void
  inverse(values: Float64Array): void
}

export function createTransform(degree: number, p: number): Transform {
  const reciprocal = 1 / p
  const root = rootOf(degree, p)
  const roots = reversedPowers(root, degree, p)
  const inverses = reversedPowers(powerMod(root, p - 2, p), degree, p)
  const shrink = powerMod(degree, p - 2, p)
  return {
    p,
    reciprocal,
    forward: (values) => forward(values, roots, p, reciprocal),
    inverse(values) {
      inverse(values, inverses, p, reciprocal)
      for (let i = 0; i < degree; i++) values[i] = reduce((values[i] as number) * shrink, p, reciprocal)
    },
  }
}

/** psi with psi^n = -1. */
function rootOf(degree: number, p: number): number {
  for (let base = 2; base < p; base++) {
    const root = powerMod(base, (p - 1) / (2 * degree), p)
    if (powerMod(root, degree, p) === p - 1) return root
  }
  return fail('internal', `${p} is no prime of this ring`)
}

/** powers[i] = root^(i with its bits reversed). */
function reversedPowers(root: number, degree: number, p: number): Float64Array {
  const bits = Math.log2(degree)
  const powers = new Float64Array(degree)
  let power = 1
  for (let i = 0; i < degree; i++) {
    let reversed = 0
    for (let bit = 0; bit < bits; bit++) reversed |= ((i >> bit) & 1) << (bits - 1 - bit)
    powers[reversed] = power
    power = (power * root) % p
  }
  return powers
}

function forward(values: Float64Array, roots: Float64Array, p: number, reciprocal: number): void {
  for (let groups = 1, half = values.length / 2; half >= 1; groups *= 2, half /= 2)
    for (let group = 0; group < groups; group++) {
      const root = roots[groups + group] as number
      const from = 2 * group * half
      for (let low = from; low < from + half; low++) {
        const above = reduce((values[low + half] as number) * root, p, reciprocal)
        const sum = (values[low] as number) + above
        const difference = (values[low] as number) - above
        values[low] = sum >= p ? sum - p : sum
        values[low + half] = difference < 0 ? difference + p : difference
      }
    }
}

function inverse(values: Float64Array, roots: Float64Array, p: number, reciprocal: number): void {
  for (let groups = values.length / 2, half = 1; groups >= 1; groups /= 2, half *= 2)
    for (let group = 0; group < groups; group++) {
      const root = roots[groups + group] as number
      const from = 2 * group * half
      for (let low = from; low < from + half; low++) {
        const sum = (values[low] as number) + (values[low + half] as number)
        const difference = (values[low] as number) - (values[low + half] as number)
        values[low] = sum >= p ? sum - p : sum
        values[low + half] = reduce((difference < 0 ? difference + p : difference) * root, p, reciprocal)
      }
    }
}
