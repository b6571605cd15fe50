/**
 * Updates as integers. The step of the grid is a power of two, so that going to the grid and back is exact, and what is
 * released is a whole multiple of it: no bits below, in which floating-point noise leaks what it hides (Mironov 2012).
 */

import { fail } from '../../base/errors.ts'

/** Up to here every whole multiple of a power of two is a float32. */
export const GRID_MAX = 2 ** 24 - 1

/** Powers of two whose multiples up to GRID_MAX are all finite, normal float32. */
export const EXPONENT_MIN = -120
export const EXPONENT_MAX = 100

/**
 * Values in steps of 2^exponent, towards zero: so no coordinate, and no norm, grows, and the bound of the clip stage is
 * the bound of the integers too. The bias of less than a step is far below the noise.
 * @throws not-finite; invalid-request for a value beyond GRID_MAX steps
 */
export function toGrid(values: Float32Array, exponent: number): Int32Array {
  const scale = scaleOf(-exponent)
  const grid = new Int32Array(values.length)
  for (let i = 0; i < values.length; i++) {
    const steps = Math.trunc((values[i] as number) * scale)
    if (!(Math.abs(steps) <= GRID_MAX)) refuse(steps)
    grid[i] = steps
  }
  return grid
}

function refuse(steps: number): never {
  if (!Number.isFinite(steps)) fail('not-finite', 'a value of the update is NaN or infinite')
  fail('invalid-request', `a value is ${Math.abs(steps)} steps of the grid, which has ${GRID_MAX}`)
}

/**
 * The inverse of {@link toGrid} on its own results. Larger integers, which noise may make, are moved to the end of the
 * grid: whatever is done after the noise costs no privacy.
 */
export function fromGrid(grid: Int32Array, exponent: number): Float32Array {
  const scale = scaleOf(exponent)
  return Float32Array.from(grid, (steps) => Math.max(-GRID_MAX, Math.min(GRID_MAX, steps)) * scale)
}

function scaleOf(exponent: number): number {
  if (!Number.isInteger(exponent) || Math.abs(exponent) > -EXPONENT_MIN)
    fail('invalid-request', `2^${exponent} is no step of a grid`)
  return 2 ** exponent
}

/** Adds in place. @throws internal if lengths differ */
export function addNoise(grid: Int32Array, noise: Int32Array): void {
  if (grid.length !== noise.length) fail('internal', 'values and noise differ in length')
  for (let i = 0; i < grid.length; i++) grid[i] = (grid[i] as number) + (noise[i] as number)
}
