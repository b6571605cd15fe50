/**
 * MIDAS-R (Bhatia, Hooi, Yoon, Shin, Faloutsos: "MIDAS: Microcluster-Based Detector of Anomalies in Edge Streams", AAAI
 * 2020, section 4.3): chi-square of the count in this tick, fading between ticks, against all that was counted so far,
 * the present included; the highest of edge, source and destination. Without the filter of {@link createMidas}.
 */

import { createCountMin, least } from './count-min.ts'
import { MIDAS_DEFAULTS, type MidasOptions } from './midas.ts'
import type { StreamScorer } from './stream-scorer.ts'

export function createMidasR(options: Partial<Omit<MidasOptions, 'threshold'>> = {}): StreamScorer {
  const settings = { ...MIDAS_DEFAULTS, ...options }
  const [edge, source, destination] = ['edge', 'source', 'destination'].map((name) => counter(settings, name))
  let lastTick: number | undefined
  let t = 1

  function score(tick: number, from: number, to: number): number {
    if (lastTick !== undefined && tick !== lastTick) {
      t++
      for (const one of [edge, source, destination]) one?.fade()
    }
    lastTick = tick
    const scores = [edge?.observe(from, to, t), source?.observe(from, 0, t), destination?.observe(to, 0, t)]
    return Math.max(...scores.map((one) => one ?? 0))
  }

  return { score }
}

function counter(
  { rows, columns, factor, seed }: MidasOptions,
  name: string,
): { observe(a: number, b: number, t: number): number; fade(): void } {
  const sketch = createCountMin(rows, columns, `${seed}/${name}`)
  const current = sketch.cells
  const total = new Float64Array(current.length)
  const at = new Int32Array(rows)

  function observe(a: number, b: number, t: number): number {
    sketch.locate(a, b, at)
    for (const cell of at) {
      current[cell] = (current[cell] ?? 0) + 1
      total[cell] = (total[cell] ?? 0) + 1
    }
    return t === 1 ? 0 : chiSquare(least(current, at), least(total, at), t)
  }

  function fade(): void {
    for (let i = 0; i < current.length; i++) current[i] = (current[i] ?? 0) * factor
  }

  return { observe, fade }
}

/** (a - s/t)^2 t^2 / (s (t - 1)), with `a` counted now and `s` in all (definition 1). */
function chiSquare(a: number, s: number, t: number): number {
  return (a * t - s) ** 2 / (s * (t - 1))
}
