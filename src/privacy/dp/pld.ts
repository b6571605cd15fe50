/**
 * Accounting by the distribution of the privacy loss: nearly exact where RDP is an upper bound. Losses of independent
 * steps add, so their distributions are convolved, here through one Fourier transform of the grid, powers of it and its
 * inverse (Koskela et al. 2020; Gopi et al. 2021). Every approximation is made to the side of more loss: the grid
 * dominates (loss.ts), what falls outside the window counts as infinite loss, and so does the rounding of the transform.
 */

import { fail } from '../../base/errors.ts'
import { inverse, type Spectrum, transform } from './fourier.ts'
import {
  frequenciesNeeded,
  type LowSpectrum,
  lowSpectrum,
  repeatedIn,
  sumsAbove,
  type Window,
} from './few-frequencies.ts'
import { type Direction, lossDeviation, type LossOnGrid, lossOnGrid, type LossOnPlaces } from './loss.ts'
import { requireSampledGaussian, type SampledGaussian } from './rdp.ts'

/** Below this delta the rounding of the transform would show: RDP has no such floor. */
export const PLD_DELTA_MIN = 1e-9
/** Mass beyond each end of the window, and what rounding can have moved: both become infinite loss. */
const TAIL = 1e-12
const ROUNDING = 1e-11
const LENGTH_MAX = 1 << 22
/** Less noise has losses whose exponentials leave the range of a double. */
const NOISE_MIN = 0.06

export interface LossDistribution {
  /** Loss of masses[i] is (lowest + i) * step. */
  readonly lowest: number
  readonly step: number
  readonly masses: Float64Array
  readonly infinite: number
}

interface Repeated {
  readonly loss: LossOnGrid
  readonly steps: number
}

/**
 * Epsilon at this delta of all mechanisms together, the larger of both directions. Add or remove one example.
 * @throws invalid-request; not-available where the grid would be too long: then RDP accounts for it
 */
export function epsilonOfLosses(mechanisms: readonly SampledGaussian[], delta: number): number {
  if (!(delta >= PLD_DELTA_MIN && delta < 1))
    fail('invalid-request', `loss distributions account for a delta of at least ${PLD_DELTA_MIN} and less than 1`)
  return epsilonOfFewFrequencies(mechanisms, delta) ?? epsilonOfTransform(mechanisms, delta)
}

/** By the whole transform, whatever the number of steps. @throws as epsilonOfLosses */
export function epsilonOfTransform(mechanisms: readonly SampledGaussian[], delta: number): number {
  return Math.max(...composeLosses(mechanisms).map((losses) => epsilonAt(losses, delta)))
}

/** Undefined where the steps are so few that their sum has more than a few frequencies. @throws invalid-request */
export function epsilonOfFewFrequencies(mechanisms: readonly SampledGaussian[], delta: number): number | undefined {
  const used = usedOf(mechanisms)
  if (used.length === 0) return 0
  const step = gridStep(used)
  let largest = 0
  for (const direction of ['remove', 'add'] as const) {
    const parts = repeatedIn(direction, used, step)
    const { low, high } = windowOf(parts)
    const window: Window = { low, length: high - low + 1 }
    const count = frequenciesNeeded(parts, window.length)
    if (count === undefined) return undefined
    largest = Math.max(largest, epsilonOfSpectrum(lowSpectrum(parts, window, count), infiniteOf(parts), delta))
  }
  return largest
}

/** The least place at which delta is small enough, by halving, and between it and the one before as {@link epsilonAt}. */
function epsilonOfSpectrum(spectrum: LowSpectrum, infinite: number, delta: number): number {
  if (infinite > delta) return Number.POSITIVE_INFINITY
  const sumsAt = (place: number) => sumsAbove(spectrum, Math.max(place, spectrum.low))
  const within = (place: number): boolean => {
    const { above, shrunk } = sumsAt(place)
    return infinite + above - shrunk <= delta
  }
  let [low, high] = [0, Math.max(0, spectrum.low + spectrum.length - 1)]
  if (within(0)) return 0
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (within(middle)) high = middle
    else low = middle
  }
  const { above, shrunk } = sumsAt(high)
  return Math.max(0, high * spectrum.step + Math.log((infinite + above - delta) / shrunk))
}

/** Loss of all steps of all mechanisms, for `remove` and for `add`. */
export function composeLosses(mechanisms: readonly SampledGaussian[]): readonly [LossDistribution, LossDistribution] {
  const used = usedOf(mechanisms)
  if (used.length === 0) return [NOTHING, NOTHING]
  const step = gridStep(used)
  const onGrid = (direction: Direction): Repeated[] =>
    used.map((mechanism) => ({ loss: lossOnGrid(mechanism, direction, step), steps: mechanism.steps }))
  return convolve(onGrid('remove'), onGrid('add'), step)
}

/** @throws invalid-request, not-available */
function usedOf(mechanisms: readonly SampledGaussian[]): readonly SampledGaussian[] {
  mechanisms.forEach(requireSampledGaussian)
  if (mechanisms.some(({ noiseMultiplier }) => noiseMultiplier < NOISE_MIN))
    fail('not-available', `loss distributions are made for noise multipliers of at least ${NOISE_MIN}`)
  return mechanisms.filter(({ steps }) => steps > 0)
}

const NOTHING: LossDistribution = { lowest: 0, step: 1, masses: Float64Array.of(1), infinite: 0 }

/**
 * A point of the grid adds at most step^2 / 4 to the variance of a step's loss: a twentieth of its deviation adds 0.06 %.
 * A 500th of the deviation of the sum keeps single steps fine.
 */
function gridStep(mechanisms: readonly SampledGaussian[]): number {
  const deviations = mechanisms.map(lossDeviation)
  const whole = Math.sqrt(mechanisms.reduce((sum, { steps }, i) => sum + steps * (deviations[i] ?? 0) ** 2, 0))
  // Of several mechanisms the ones that contribute little may be coarser than a twentieth of their own deviation.
  const count = mechanisms.reduce((sum, { steps }) => sum + steps, 0)
  return Math.min((0.05 * whole) / Math.sqrt(count), whole / 500)
}

/** Both directions ride in one complex transform: the one as its real part, the other as its imaginary part. */
function convolve(
  remove: readonly Repeated[],
  add: readonly Repeated[],
  step: number,
): readonly [LossDistribution, LossDistribution] {
  const windows = [remove, add].map(windowOf)
  const needed = Math.max(...windows.map(({ low, high }) => high - low + 1), 2)
  const length = 2 ** Math.ceil(Math.log2(needed))
  if (length > LENGTH_MAX) fail('not-available', 'this composition is too long for a grid of losses')
  const product = { real: new Float64Array(length).fill(1), imaginary: new Float64Array(length) }
  const mirror: Spectrum = { real: new Float64Array(length).fill(1), imaginary: new Float64Array(length) }
  for (const [i, one] of remove.entries()) multiplyPower(product, mirror, one, add[i] as Repeated)
  // product holds the spectrum of `remove`, mirror that of `add`: sum = product + i * mirror.
  for (let k = 0; k < length; k++) {
    product.real[k] = (product.real[k] as number) - (mirror.imaginary[k] as number)
    product.imaginary[k] = (product.imaginary[k] as number) + (mirror.real[k] as number)
  }
  inverse(product)
  const unfold = (folded: Float64Array, at: number, parts: readonly Repeated[]) =>
    unwrap(folded, windows[at]?.low ?? 0, step, parts)
  return [unfold(product.real, 0, remove), unfold(product.imaginary, 1, add)]
}

/** Multiplies the spectra of both directions by the power of one mechanism's. */
function multiplyPower(remove: Spectrum, add: Spectrum, one: Repeated, other: Repeated): void {
  const n = remove.real.length
  const both = { real: fold(one.loss, n), imaginary: fold(other.loss, n) }
  transform(both)
  for (let k = 0; k < n; k++) {
    const back = (n - k) % n
    const [r, i] = [both.real[k] as number, both.imaginary[k] as number]
    const [rb, ib] = [both.real[back] as number, both.imaginary[back] as number]
    multiplyAt(remove, k, (r + rb) / 2, (i - ib) / 2, one.steps)
    multiplyAt(add, k, (i + ib) / 2, (rb - r) / 2, one.steps)
  }
}

function multiplyAt(spectrum: Spectrum, k: number, real: number, imaginary: number, power: number): void {
  const size = Math.exp((power * Math.log(real * real + imaginary * imaginary)) / 2)
  const angle = power * Math.atan2(imaginary, real)
  const [r, i] = [size * Math.cos(angle), size * Math.sin(angle)]
  const [a, b] = [spectrum.real[k] as number, spectrum.imaginary[k] as number]
  spectrum.real[k] = a * r - b * i
  spectrum.imaginary[k] = a * i + b * r
}

/** Masses by their place modulo the length of the window. */
function fold({ lowest, masses }: LossOnGrid, length: number): Float64Array {
  const folded = new Float64Array(length)
  for (let i = 0; i < masses.length; i++) {
    const at = (((lowest + i) % length) + length) % length
    folded[at] = (folded[at] as number) + (masses[i] as number)
  }
  return folded
}

function unwrap(folded: Float64Array, lowest: number, step: number, parts: readonly Repeated[]): LossDistribution {
  const n = folded.length
  const masses = new Float64Array(n)
  for (let i = 0; i < n; i++) masses[i] = Math.max(0, folded[(((lowest + i) % n) + n) % n] as number)
  return { lowest, step, masses, infinite: infiniteOf(parts) }
}

interface Part {
  readonly loss: LossOnPlaces
  readonly steps: number
}

function infiniteOf(parts: readonly Part[]): number {
  const finite = parts.reduce((left, { loss, steps }) => left + steps * Math.log1p(-loss.infinite), 0)
  return -Math.expm1(finite) + TAIL + ROUNDING
}

/** Places between which all but TAIL of the sum lies at each side: Chernoff's bound, at the best of a few exponents. */
function windowOf(parts: readonly Part[]): { readonly low: number; readonly high: number } {
  const step = parts[0]?.loss.step ?? 1
  const deviation = Math.sqrt(parts.reduce((sum, { loss, steps }) => sum + steps * varianceOf(loss), 0)) || step
  const exponents = Array.from({ length: 12 }, (_, i) => 1.5 ** i / (deviation * 2))
  const bound = (sign: 1 | -1): number =>
    Math.min(
      ...exponents.map((exponent) => {
        const log = parts.reduce((sum, { loss, steps }) => sum + steps * logMoment(loss, sign * exponent), 0)
        return (log - Math.log(TAIL)) / exponent
      }),
    )
  return { low: Math.floor(-bound(-1) / step), high: Math.ceil(bound(1) / step) }
}

function varianceOf({ places, step, masses }: LossOnPlaces): number {
  let [mean, square] = [0, 0]
  for (let i = 0; i < masses.length; i++) {
    const [mass, loss] = [masses[i] as number, (places[i] as number) * step]
    mean += mass * loss
    square += mass * loss * loss
  }
  return Math.max(0, square - mean * mean)
}

/** log E[e^(exponent * loss)] over the finite losses. */
function logMoment({ places, step, masses }: LossOnPlaces, exponent: number): number {
  const first = places[0] as number
  const factor = Math.exp(exponent * step)
  let [sum, weight, before] = [0, 1, first]
  for (let i = 0; i < masses.length; i++) {
    const place = places[i] as number
    weight =
      place - before <= 1 ? weight * (place === before ? 1 : factor) : Math.exp(exponent * step * (place - first))
    before = place
    sum += (masses[i] as number) * weight
  }
  return Number.isFinite(sum) ? Math.log(sum) + exponent * first * step : Number.POSITIVE_INFINITY
}

/**
 * The smallest epsilon >= 0 at which the hockey-stick divergence E[(1 - e^(epsilon - loss))+] is at most delta: between two
 * places it is linear in e^epsilon.
 */
function epsilonAt({ lowest, step, masses, infinite }: LossDistribution, delta: number): number {
  if (infinite > delta) return Number.POSITIVE_INFINITY
  // `weighted` is the sum of mass * e^(loss - its loss): relative to the place, since e^loss may leave the range.
  let [above, weighted, place] = [infinite, 0, 0]
  const shrink = Math.exp(-step)
  for (let i = masses.length - 1; i >= 0; i--) {
    const loss = (lowest + i) * step
    if (loss <= 0 || above - weighted * shrink > delta) break
    above += masses[i] as number
    weighted = weighted * shrink + (masses[i] as number)
    place = loss
  }
  return above <= delta ? 0 : Math.max(0, place + Math.log((above - delta) / weighted))
}
