/**
 * The privacy loss of one sampled Gaussian, on a grid: connect the dots (Doroshenko et al. 2022, "Connect the Dots",
 * section 3). Outcomes whose loss falls between two points of the grid are moved to the two, such that their mass under
 * both neighbouring inputs is kept. The result dominates the mechanism: what it proves holds for the mechanism too.
 */

import type { SampledGaussian } from './rdp.ts'
import { normalCdf } from './special.ts'

/** Which of the two neighbouring inputs the outcome is drawn from: the one with the example, or the one without. */
export type Direction = 'remove' | 'add'

/** The loss on some multiples of the step: that of masses[i] is places[i] * step. */
export interface LossOnPlaces {
  readonly places: Float64Array
  readonly step: number
  readonly masses: Float64Array
  /** Mass of outcomes whose loss is not bounded by the places. */
  readonly infinite: number
}

/** On all multiples from the lowest on. */
export interface LossOnGrid extends LossOnPlaces {
  readonly lowest: number
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

/** The smallest and the largest multiple of `step` that the loss of one step in one direction needs. */
function placeRange(noise: Noise, direction: Direction, step: number): readonly [number, number] {
  const [smallest, largest] = outcomeRange(noise)
  const sign = direction === 'remove' ? 1 : -1
  const ends = [sign * lossAt(noise, smallest), sign * lossAt(noise, largest)]
  const lowest = Math.floor(Math.min(...ends) / step)
  return [lowest, Math.max(lowest + 1, Math.ceil(Math.max(...ends) / step))]
}

/** The loss of one step in one direction, dominated on all multiples of `step`. */
export function lossOnGrid(noise: Noise, direction: Direction, step: number): LossOnGrid {
  const [lowest, highest] = placeRange(noise, direction, step)
  const all = Float64Array.from({ length: highest - lowest + 1 }, (_, i) => lowest + i)
  return { lowest, ...lossOnPlaces(noise, direction, step, all) }
}

/** Every place so near to nought, and beyond it gaps of at most a fortieth of the distance, in powers of two. */
export const DENSE_PLACES = 40

/** The same on fewer places: where losses are large, gaps may be, too, since what a gap adds is small beside them. */
export function lossOnFewPlaces(noise: Noise, direction: Direction, step: number): LossOnPlaces {
  const [lowest, highest] = placeRange(noise, direction, step)
  const gap = (distance: number): number => 2 ** Math.max(0, Math.floor(Math.log2(Math.abs(distance) / DENSE_PLACES)))
  const below: number[] = []
  for (let at = -1; at > lowest; at -= gap(at)) below.push(at)
  const above: number[] = []
  for (let at = 0; at < highest; at += gap(at || 1)) if (at > lowest) above.push(at)
  return lossOnPlaces(noise, direction, step, Float64Array.from([lowest, ...below.toReversed(), ...above, highest]))
}

/** Connect the dots: places ascend, and between two of them mass is kept under both inputs. */
function lossOnPlaces(noise: Noise, direction: Direction, step: number, places: Float64Array): LossOnPlaces {
  const sign = direction === 'remove' ? 1 : -1
  const edge = (place: number) => sidesAt(noise, outcomeAt(noise, sign * place * step))
  const [drawnFrom, compared] =
    direction === 'remove' ? (['having', 'without'] as const) : (['without', 'having'] as const)
  const beyond = direction === 'remove' ? ('below' as const) : ('above' as const)
  const masses = new Float64Array(places.length)
  let before = edge(places[0] as number)
  // Whatever lies below the first place is raised to it.
  masses[0] = before[drawnFrom][beyond]
  for (let i = 0; i + 1 < places.length; i++) {
    const [low, high] = [places[i] as number, places[i + 1] as number]
    const after = edge(high)
    const outer = -Math.expm1((low - high) * step)
    const drawn = between(before[drawnFrom], after[drawnFrom])
    const kept = Math.exp(low * step) * between(before[compared], after[compared])
    const up = Math.min(drawn, Math.max(0, (drawn - kept) / outer) + (ROUNDING * drawn) / outer)
    masses[i] = (masses[i] as number) + (drawn - up)
    masses[i + 1] = up
    before = after
  }
  return { places, step, masses, infinite: before[drawnFrom][beyond === 'below' ? 'above' : 'below'] }
}
