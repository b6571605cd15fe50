/**
 * The privacy loss of one sampled Gaussian, on a grid: connect the dots (Doroshenko et al. 2022, "Connect the Dots",
 * section 3). Outcomes whose loss falls between two points of the grid are moved to the two, such that their mass under
 * both neighbouring inputs is kept. The result dominates the mechanism: what it proves holds for the mechanism too.
 */

import type { SampledGaussian } from './rdp.ts'
import { normalCdf } from './special.ts'

/** Which of the two neighbouring inputs the outcome is drawn from: the one with the example, or the one without. */
export type Direction = 'remove' | 'add'

export interface LossOnGrid {
  /** The loss of masses[i] is (lowest + i) * step. */
  readonly lowest: number
  readonly step: number
  readonly masses: Float64Array
  /** Mass of outcomes whose loss is not bounded by the grid. */
  readonly infinite: number
}

type Noise = Pick<SampledGaussian, 'samplingRate' | 'noiseMultiplier'>

/** Beyond this many deviations an outcome counts as infinite loss, or as the lowest: 4e-22 of the mass. */
const DEVIATIONS_MAX = 9.6
/** Rounding must not hide loss: so much of the mass of every cell goes to its upper end beyond its share. */
const ROUNDING = 1e-13

/** log of the density with the example over the density without: increases with the outcome x. */
function lossAt({ samplingRate: q, noiseMultiplier: sigma }: Noise, x: number): number {
  const exponent = (2 * x - 1) / (2 * sigma * sigma)
  return q === 1 ? exponent : Math.log1p(q * Math.expm1(exponent))
}

/** Where that loss is reached; -Infinity for losses that it does not fall to. */
function outcomeAt({ samplingRate: q, noiseMultiplier: sigma }: Noise, loss: number): number {
  const ratio = q === 1 ? Math.exp(loss) : (Math.expm1(loss) + q) / q
  const exponent = q === 1 ? loss : Math.log(ratio)
  return ratio > 0 ? sigma * sigma * exponent + 0.5 : Number.NEGATIVE_INFINITY
}

/** Mass on both sides of an outcome: each small one to full relative precision, as large losses multiply its error. */
interface Sides {
  readonly below: number
  readonly above: number
}

function sidesOfNormal(z: number): Sides {
  const outer = normalCdf(-Math.abs(z))
  return z < 0 ? { below: outer, above: 1 - outer } : { below: 1 - outer, above: outer }
}

const between = (a: Sides, b: Sides): number => Math.abs(a.above < 0.5 ? a.above - b.above : b.below - a.below)

function sidesAt({ samplingRate: q, noiseMultiplier: sigma }: Noise, x: number): { without: Sides; having: Sides } {
  const without = sidesOfNormal(x / sigma)
  const moved = sidesOfNormal((x - 1) / sigma)
  const mix = (side: keyof Sides): number => (1 - q) * without[side] + q * moved[side]
  return { without, having: { below: mix('below'), above: mix('above') } }
}

/** The largest and the smallest outcome that the grid covers. */
const outcomeRange = ({ noiseMultiplier: sigma }: Noise): readonly [number, number] => [
  -DEVIATIONS_MAX * sigma,
  1 + DEVIATIONS_MAX * sigma,
]

/** Standard deviation of the loss of one step, by a coarse integral: only sizes of grids depend on it. */
export function lossDeviation(noise: Noise): number {
  const [low, high] = outcomeRange(noise)
  const [points, q, sigma] = [400, noise.samplingRate, noise.noiseMultiplier]
  let [mass, mean, square] = [0, 0, 0]
  for (let i = 0; i <= points; i++) {
    const x = low + ((high - low) * i) / points
    const loss = lossAt(noise, x)
    const bell = (at: number): number => Math.exp(-(at * at) / (2 * sigma * sigma))
    const weight = (1 - q) * bell(x) + q * bell(x - 1)
    mass += weight
    mean += weight * loss
    square += weight * loss * loss
  }
  return Math.sqrt(Math.max(square / mass - (mean / mass) ** 2, 1e-20))
}

/** The loss of one step in one direction, dominated on multiples of `step`. */
export function lossOnGrid(noise: Noise, direction: Direction, step: number): LossOnGrid {
  const [smallest, largest] = outcomeRange(noise)
  const sign = direction === 'remove' ? 1 : -1
  const ends = [sign * lossAt(noise, smallest), sign * lossAt(noise, largest)]
  const lowest = Math.floor(Math.min(...ends) / step)
  const highest = Math.max(lowest + 1, Math.ceil(Math.max(...ends) / step))
  const masses = new Float64Array(highest - lowest + 1)
  const edge = (index: number) => sidesAt(noise, outcomeAt(noise, sign * index * step))
  const [drawnFrom, compared] =
    direction === 'remove' ? (['having', 'without'] as const) : (['without', 'having'] as const)
  const beyond = direction === 'remove' ? ('below' as const) : ('above' as const)
  const outer = -Math.expm1(-step)
  let before = edge(lowest)
  // Whatever lies below the grid is raised to its lowest point.
  masses[0] = before[drawnFrom][beyond]
  for (let index = lowest; index < highest; index++) {
    const after = edge(index + 1)
    const drawn = between(before[drawnFrom], after[drawnFrom])
    const kept = Math.exp(index * step) * between(before[compared], after[compared])
    const up = Math.min(drawn, Math.max(0, (drawn - kept) / outer) + (ROUNDING * drawn) / outer)
    masses[index - lowest] = (masses[index - lowest] as number) + (drawn - up)
    masses[index - lowest + 1] = up
    before = after
  }
  return { lowest, step, masses, infinite: before[drawnFrom][beyond === 'below' ? 'above' : 'below'] }
}
