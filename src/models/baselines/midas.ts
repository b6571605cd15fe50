/**
 * MIDAS-F (Bhatia, Liu, Hooi, Yoon, Shin, Faloutsos: "Real-Time Anomaly Detection in Edge Streams", TKDD 2022, section
 * 5): chi-square of the count of an edge, of its source and of its destination in this tick against their mean so far.
 * Counts fade between ticks; a cell that looked anomalous is not merged into the history, so that an attack cannot teach
 * the scorer that it is normal.
 */

import { type CountMin, createCountMin, least } from './count-min.ts'
import type { StreamScorer } from './stream-scorer.ts'

export interface MidasOptions {
  /** Rows and columns of each sketch. */
  readonly rows: number
  readonly columns: number
  /** What is left of the current counts at the next tick. */
  readonly factor: number
  /** Score from which a cell is kept out of the history. */
  readonly threshold: number
  readonly seed: string
}

/** Those of the authors' program for DARPA. */
export const MIDAS_DEFAULTS: MidasOptions = { rows: 2, columns: 1024, factor: 0.5, threshold: 1000, seed: 'midas' }

export function createMidas(options: Partial<MidasOptions> = {}): StreamScorer {
  const settings = { ...MIDAS_DEFAULTS, ...options }
  const edge = createCounter(settings, 'edge')
  const source = createCounter(settings, 'source')
  const destination = createCounter(settings, 'destination')
  let lastTick: number | undefined
  // Ticks without interactions do not count, as in the authors' data, where a tick is a distinct stamp.
  let t = 1

  function score(tick: number, from: number, to: number): number {
    if (lastTick !== undefined && tick !== lastTick) {
      t++
      for (const counter of [edge, source, destination]) counter.advance(t)
    }
    lastTick = tick
    return Math.max(edge.observe(from, to, t), source.observe(from, 0, t), destination.observe(to, 0, t))
  }

  return { score }
}

interface Counter {
  /** Counts the key in this tick; returns its score. */
  observe(a: number, b: number, t: number): number
  /** Merges the tick that ended into the history, before tick `t`. */
  advance(t: number): void
}

function createCounter(options: MidasOptions, name: string): Counter {
  const sketch: CountMin = createCountMin(options.rows, options.columns, `${options.seed}/${name}`)
  const current = sketch.cells
  const total = new Float64Array(current.length)
  const scores = new Float64Array(current.length)
  const at = new Int32Array(options.rows)

  function observe(a: number, b: number, t: number): number {
    sketch.locate(a, b, at)
    for (let i = 0; i < at.length; i++) current[at[i] ?? 0] = (current[at[i] ?? 0] ?? 0) + 1
    const score = chiSquare(least(current, at), least(total, at), t)
    for (let i = 0; i < at.length; i++) scores[at[i] ?? 0] = score
    return score
  }

  function advance(t: number): void {
    for (let i = 0; i < current.length; i++) {
      const count = current[i] ?? 0
      const sum = total[i] ?? 0
      // A cell over the threshold gets its mean once more instead of what was counted (equation 6).
      total[i] = sum + ((scores[i] ?? 0) < options.threshold ? count : sum / (t - 1))
      current[i] = count * options.factor
    }
  }

  return { observe, advance }
}

/** (a - s/t)^2 t^2 / (s (t - 1)), with `a` counted now, `s` in all before (definition 1); 0 without a history. */
function chiSquare(a: number, s: number, t: number): number {
  return s === 0 || t === 1 ? 0 : (a + s - a * t) ** 2 / (s * (t - 1))
}
