/** Smooth activations in float64. */

import type { ActivationOps } from './ops.ts'
import { at, build } from './vectors.ts'

export const sigmoidOf = (x: number): number => 1 / (1 + Math.exp(-x))

const CUBIC = 0.044715
const SQRT_2_OVER_PI = Math.sqrt(2 / Math.PI)
const geluArgument = (x: number): number => SQRT_2_OVER_PI * (x + CUBIC * x ** 3)

/** d/dx of x (1 + tanh u) / 2. */
function geluSlope(x: number): number {
  const t = Math.tanh(geluArgument(x))
  return (1 + t) / 2 + (x / 2) * (1 - t * t) * SQRT_2_OVER_PI * (1 + 3 * CUBIC * x * x)
}

export const activations: ActivationOps = {
  gelu: (x) => x.map((value) => (value / 2) * (1 + Math.tanh(geluArgument(value)))),
  geluBackward: (g, x) => build(g.length, (i) => at(g, i) * geluSlope(at(x, i))),
  tanh: (x) => x.map(Math.tanh),
  tanhBackward: (g, y) => build(g.length, (i) => at(g, i) * (1 - at(y, i) ** 2)),
  sigmoid: (x) => x.map(sigmoidOf),
  sigmoidBackward: (g, y) => build(g.length, (i) => at(g, i) * at(y, i) * (1 - at(y, i))),
}
