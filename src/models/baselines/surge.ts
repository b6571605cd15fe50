/**
 * A source that surges, and is not known for it: log of the chi-square of its count in this tick (as in MIDAS, Bhatia et
 * al. 2020, definition 1, with exact counts that fade between ticks), plus log of the destinations that it meets for the
 * first time in this tick, minus log of all that it ever sent.
 */

import { pairKey } from './pair-key.ts'
import type { StreamScorer } from './stream-scorer.ts'

/** What is left of a count at the next tick. */
const FACTOR = 0.5

interface Source {
  tick: number
  /** Counted now, what is left of earlier ticks included. */
  current: number
  /** Counted before this tick, with what was left at each. */
  total: number
  /** Destinations met for the first time in this tick. */
  fresh: number
  sent: number
}

export function createSurge(): StreamScorer {
  const sources = new Map<number, Source>()
  const pairs = new Set<number>()
  let firstTick: number | undefined

  function score(tick: number, from: number, to: number): number {
    firstTick ??= tick
    const source = sourceAt(sources, from, tick)
    source.current++
    const key = pairKey(from, to)
    if (!pairs.has(key)) source.fresh++
    pairs.add(key)
    const surge = Math.log1p(chiSquare(source.current, source.total, tick - firstTick + 1))
    return surge + Math.log1p(source.fresh) - Math.log1p(source.sent++)
  }

  return { score }
}

/** The source's counts, brought to this tick. */
function sourceAt(sources: Map<number, Source>, host: number, tick: number): Source {
  const source = sources.get(host) ?? { tick, current: 0, total: 0, fresh: 0, sent: 0 }
  sources.set(host, source)
  const left = FACTOR ** (tick - source.tick)
  if (left < 1) {
    // current * (1 + FACTOR + FACTOR^2 + ...), one term for each tick that ended.
    source.total += (source.current * (1 - left)) / (1 - FACTOR)
    source.current *= left
    source.fresh = 0
    source.tick = tick
  }
  return source
}

/** (a - s/t)^2 t^2 / (s (t - 1)), with `a` counted now and `s` before; 0 without a history. */
function chiSquare(a: number, s: number, t: number): number {
  return s === 0 || t === 1 ? 0 : (a + s - a * t) ** 2 / (s * (t - 1))
}
