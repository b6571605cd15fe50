/**
 * Data out of an update: analytic inversion of a perceptron's first layer (Phong et al. 2018, section 3; Geiping et al.
 * 2020, Proposition 3.1). For one row, the gradient by the weights of unit k is delta_k x and by its bias delta_k, so each
 * active unit gives x as their ratio: exactly, without optimisation (which DLG, Zhu et al. 2019, needs). With several rows
 * a unit gives a mean of those that activate it, and a single row where only one does.
 */

import type { Layer } from '../../src/models/dense.ts'

/** One guess of a row for each unit of the first layer whose bias moved. */
export function invertFirstLayer(update: ArrayLike<number>, { inputs, outputs, weights, bias }: Layer): Float32Array[] {
  const guesses: Float32Array[] = []
  for (let k = 0; k < outputs; k++) {
    const delta = update[bias + k] ?? 0
    if (delta === 0) continue
    guesses.push(Float32Array.from({ length: inputs }, (_, j) => (update[weights + j * outputs + k] ?? 0) / delta))
  }
  return guesses
}

/**
 * The label of a single row (iDLG: Zhao, Mopuri, Bilen 2020, section 3): the gradient by the last bias is P(attack) - label,
 * and an update goes against it.
 */
export function labelOf(update: ArrayLike<number>, last: Layer): 0 | 1 {
  return (update[last.bias] ?? 0) > 0 ? 1 : 0
}

/** Relative error of the guess that is nearest to a row; 1 is no better than guessing zeros. */
export function errorOf(guesses: readonly Float32Array[], row: Float32Array): number {
  const length = Math.hypot(...row)
  return guesses.reduce(
    (least, guess) => Math.min(least, Math.hypot(...row.map((value, j) => value - (guess[j] ?? 0))) / length),
    Number.POSITIVE_INFINITY,
  )
}
