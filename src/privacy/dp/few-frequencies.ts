/**
 * The same composition as pld.ts without a transform, for many steps: of the spectrum of their sum, only the lowest
 * frequencies are not nought, so only they are computed, raised to a power, and summed where delta is asked for. The rest is
 * bounded, not computed: masses a and b at a distance of D places turn against each other, so that at a frequency which turns
 * that distance by a quarter to three quarters the spectrum is at most 1 - sum of a b / (a + b) over disjoint such pairs.
 */

import { type Direction, DENSE_PLACES, type LossOnPlaces, lossOnFewPlaces } from './loss.ts'
import type { SampledGaussian } from './rdp.ts'

export interface RepeatedLoss {
  readonly loss: LossOnPlaces
  readonly steps: number
}

export interface Window {
  /** Place of the first mass of the sum, and how many there are: all but a counted tail. */
  readonly low: number
  readonly length: number
}

/** Frequencies beyond are below e^-60 together with their number: far below the rounding that is counted. */
const EXPONENT_MIN = 75
const FREQUENCIES_MAX = 4096

export function repeatedIn(direction: Direction, mechanisms: readonly SampledGaussian[], step: number): RepeatedLoss[] {
  return mechanisms.map((mechanism) => ({ loss: lossOnFewPlaces(mechanism, direction, step), steps: mechanism.steps }))
}

/** Number of frequencies, nought among them, beyond which there is nothing; undefined if they are too many to be worth it. */
export function frequenciesNeeded(parts: readonly RepeatedLoss[], length: number): number | undefined {
  let distance = 0
  for (let next = 1; 2 * next <= DENSE_PLACES; next *= 2) {
    const exponent = parts.reduce((sum, { loss, steps }) => sum + steps * turnedAgainst(loss, next), 0)
    if (exponent < EXPONENT_MIN) break
    distance = next
  }
  if (distance === 0) return undefined
  const bounded = Math.floor(length / (4 * distance)) + 1
  const spreads = parts.map(({ loss, steps }) => ({ steps, loss, ...spreadOf(loss) }))
  const variance = spreads.reduce((sum, { steps, variance: one }) => sum + steps * one, 0)
  // As if the sum were normal, and a little more; what lies between this and what is bounded is looked at in strides.
  let count = Math.ceil((length / (2 * Math.PI)) * Math.sqrt((2.6 * EXPONENT_MIN) / variance)) + 1
  while (count < bounded && !isNothingBetween(spreads, length, count, bounded)) count = Math.ceil(1.5 * count)
  const needed = Math.min(count, bounded)
  return needed > FREQUENCIES_MAX ? undefined : needed
}

interface Spread {
  readonly variance: number
  /** Mean distance from the mean, in places: no spectrum changes faster with its angle. */
  readonly slope: number
}

function spreadOf({ places, masses }: LossOnPlaces): Spread {
  let [mean, square, slope] = [0, 0, 0]
  places.forEach((place, i) => {
    mean += place * (masses[i] as number)
    square += place * place * (masses[i] as number)
  })
  places.forEach((place, i) => {
    slope += Math.abs(place - mean) * (masses[i] as number)
  })
  return { variance: square - mean * mean, slope }
}

/** From a frequency whose spectrum is small, as far as it cannot have grown again; from there on anew. */
function isNothingBetween(
  parts: readonly (RepeatedLoss & Spread)[],
  length: number,
  from: number,
  to: number,
): boolean {
  let stride = 1
  for (let at = from - 1; at < to; at += stride) {
    const sizes = parts.map(({ loss }) => sizeAt(loss, (2 * Math.PI * at) / length))
    const isSmall = (turned: number): boolean =>
      parts.reduce((sum, { steps, slope }, i) => {
        const size = (sizes[i] as number) + (slope * 2 * Math.PI * turned) / length
        return sum + steps * Math.log(Math.min(1, size))
      }, 0) < -EXPONENT_MIN
    stride *= 4
    while (stride >= 1 && !isSmall(stride)) stride = Math.floor(stride / 2)
    if (stride < 1) return false
  }
  return true
}

function sizeAt({ places, masses }: LossOnPlaces, angle: number): number {
  let [real, imaginary] = [0, 0]
  for (let i = 0; i < places.length; i++) {
    real += (masses[i] as number) * Math.cos(angle * (places[i] as number))
    imaginary += (masses[i] as number) * Math.sin(angle * (places[i] as number))
  }
  return Math.hypot(real, imaginary)
}

/** Sum of a b / (a + b) over disjoint pairs of masses at this distance, among the places next to nought. */
function turnedAgainst({ places, masses }: LossOnPlaces, distance: number): number {
  const at = new Map<number, number>()
  places.forEach((place, i) => {
    if (Math.abs(place) < DENSE_PLACES) at.set(place, masses[i] as number)
  })
  let sum = 0
  for (let block = -DENSE_PLACES; block < DENSE_PLACES; block += 2 * distance)
    for (let place = block; place < block + distance; place++) {
      const [a, b] = [at.get(place) ?? 0, at.get(place + distance) ?? 0]
      if (a > 0 && b > 0) sum += (a * b) / (a + b)
    }
  return sum
}

export interface LowSpectrum extends Window {
  readonly step: number
  readonly real: Float64Array
  readonly imaginary: Float64Array
}

/** Of the sum of all steps: sum of p_k e^(-2 pi i j k / length) for the frequencies j below `count`. */
export function lowSpectrum(parts: readonly RepeatedLoss[], window: Window, count: number): LowSpectrum {
  const [real, imaginary] = [new Float64Array(count).fill(1), new Float64Array(count)]
  for (const { loss, steps } of parts) {
    const [r, i] = spectrumOf(loss, window.length, count)
    for (let j = 0; j < count; j++) {
      const [x, y] = [r[j] as number, i[j] as number]
      const size = Math.exp((steps * Math.log(x * x + y * y)) / 2)
      const angle = steps * Math.atan2(y, x)
      const [c, s] = [size * Math.cos(angle), size * Math.sin(angle)]
      const [a, b] = [real[j] as number, imaginary[j] as number]
      real[j] = a * c - b * s
      imaginary[j] = a * s + b * c
    }
  }
  return { ...window, step: parts[0]?.loss.step ?? 1, real, imaginary }
}

function spectrumOf({ places, masses }: LossOnPlaces, length: number, count: number): [Float64Array, Float64Array] {
  const [real, imaginary] = [new Float64Array(count), new Float64Array(count)]
  for (let i = 0; i < places.length; i++) {
    const angle = (-2 * Math.PI * (places[i] as number)) / length
    const [turnC, turnS] = [Math.cos(angle), Math.sin(angle)]
    let [c, s] = [masses[i] as number, 0]
    for (let j = 0; j < count; j++) {
      real[j] = (real[j] as number) + c
      imaginary[j] = (imaginary[j] as number) + s
      const next = c * turnC - s * turnS
      s = c * turnS + s * turnC
      c = next
    }
  }
  return [real, imaginary]
}

/** Mass at `from` and above, and the same with each place's mass shrunk by e^-(place - from) steps: two geometric series. */
export function sumsAbove(spectrum: LowSpectrum, from: number): { readonly above: number; readonly shrunk: number } {
  const { low, length, step, real, imaginary } = spectrum
  const terms = low + length - from
  let [above, shrunk] = [0, 0]
  for (let j = 0; j < real.length; j++) {
    const turn = (2 * Math.PI * j) / length
    const [a, b] = [real[j] as number, imaginary[j] as number]
    const weight = (j === 0 ? 1 : 2) / length
    above += weight * seriesAt(a, b, turn, 0, from, terms)
    shrunk += weight * seriesAt(a, b, turn, step, from, terms)
  }
  return { above, shrunk }
}

/** Real part of (a + i b) times the sum over t < terms of e^(i turn (from + t) - decay t). */
function seriesAt(a: number, b: number, turn: number, decay: number, from: number, terms: number): number {
  if (turn === 0 && decay === 0) return a * terms
  const shrink = Math.exp(-decay)
  const last = Math.exp(-decay * terms)
  // (1 - r^terms) / (1 - r) for r = e^(i turn - decay); 1 - r by half angles, as r may be next to 1.
  const [topR, topI] = [1 - last * Math.cos(turn * terms), -last * Math.sin(turn * terms)]
  const half = Math.sin(turn / 2)
  const [underR, underI] = [-Math.expm1(-decay) + 2 * shrink * half * half, -shrink * Math.sin(turn)]
  const under = underR * underR + underI * underI
  const [r, i] = [(topR * underR + topI * underI) / under, (topI * underR - topR * underI) / under]
  const [c, s] = [Math.cos(turn * from), Math.sin(turn * from)]
  const [x, y] = [a * c - b * s, a * s + b * c]
  return x * r - y * i
}
