/** A gradient made fit to leave: of bounded length, so that what is done to it afterwards (noise) has a known sensitivity. */

import { fail } from '../../base/errors.ts'

export interface SanitisedGradient {
  /** Of an L2 norm of at most `sensitivity`, up to rounding; in the direction of what came in. */
  readonly gradient: readonly number[]
  /** L2, of what came in. */
  readonly norm: number
  readonly clipped: boolean
}

/**
 * Clips to an L2 norm (Abadi et al. 2016, Algorithm 1). It adds no noise: what comes out still tells of the data.
 * @param sensitivity - above 0
 * @throws not-finite for a value that is no number
 */
export function sanitiseGradient(values: readonly number[], sensitivity: number): SanitisedGradient {
  if (!values.every(Number.isFinite)) fail('not-finite', 'a value of the gradient is not a finite number')
  const norm = normOf(values)
  const clipped = norm > sensitivity
  return { gradient: clipped ? values.map((value) => (value / norm) * sensitivity) : values, norm, clipped }
}

/** By the largest value, so that no square overflows or vanishes. */
function normOf(values: readonly number[]): number {
  const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  return largest === 0 ? 0 : largest * Math.sqrt(values.reduce((sum, value) => sum + (value / largest) ** 2, 0))
}
