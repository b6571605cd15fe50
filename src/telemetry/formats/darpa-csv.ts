/**
 * DARPA 1998 as a temporal graph: `source,destination,MM/DD/YYYY-HH:MM,attack name or -`. Five stamps are no dates
 * (`07/32/1998`) and one row is out of order, so the order in which stamps first appear is the clock, one tick a minute.
 */

import { cachedAddresses, canonicalPaddedAddress, copyText } from '../address.ts'
import { type LineParser, type ParsedLine, refused, skipped } from '../interaction.ts'
import { wordTable } from './intern.ts'

/** 1998-06-01T00:00:00Z: the time of tick 0. */
export const DARPA_EPOCH = 896_659_200
export const TICK_SECONDS = 60

const STAMP = /^\d\d\/\d\d\/\d{4}-\d\d:\d\d$/
/** A splitter writes this before the first row of a tick, so that one organisation's file keeps the common clock. */
const TICK_LINE = /^#tick (\d{1,7})$/
/** A century of minutes would fit; an adversary's stamps do not exhaust memory. */
const STAMPS_MAX = 1 << 20

export function tickLine(tick: number): string {
  return `#tick ${tick}`
}

/** Order of first appearance of stamps. */
export interface TickClock {
  /** Undefined if the text is no stamp, or there are too many. */
  tickOf(stamp: string): number | undefined
  readonly ticks: number
  /** The next unknown stamp is tick `tick`. */
  announce(tick: number): void
}

export function tickClock(): TickClock {
  const known = new Map<string, number>()
  let last = ''
  let lastTick = 0
  let next = 0
  return {
    tickOf(stamp) {
      if (stamp === last) return lastTick
      let tick = known.get(stamp)
      if (tick === undefined) {
        if (!STAMP.test(stamp) || known.size >= STAMPS_MAX) return undefined
        tick = next++
        known.set(copyText(stamp), tick)
      }
      last = copyText(stamp)
      lastTick = tick
      return tick
    },
    get ticks() {
      return next
    },
    announce(tick) {
      next = Math.max(next, tick)
    },
  }
}

export function darpaCsvParser(clock: TickClock = tickClock()): LineParser {
  const address = cachedAddresses(canonicalPaddedAddress)
  const name = wordTable((text) => text)

  function comment(line: string): ParsedLine {
    const match = TICK_LINE.exec(line)
    if (match !== null) clock.announce(Number(match[1]))
    return skipped('comment')
  }

  function parse(line: string): ParsedLine {
    if (line === '' || line.charCodeAt(0) === 35) return comment(line)
    const first = line.indexOf(',')
    const second = line.indexOf(',', first + 1)
    const third = line.indexOf(',', second + 1)
    if (first < 0 || second < 0 || third < 0 || line.indexOf(',', third + 1) >= 0) return refused('field-count')
    const source = address(line.slice(0, first))
    const destination = address(line.slice(first + 1, second))
    if (source === undefined || destination === undefined) return refused('address')
    const attack = line.slice(third + 1)
    if (attack === '') return refused('label')
    const tick = clock.tickOf(line.slice(second + 1, third))
    if (tick === undefined) return refused('time')
    const time = DARPA_EPOCH + tick * TICK_SECONDS
    if (attack === '-') return { ok: true, interaction: { time, source, destination, kind: 'flow', label: 'benign' } }
    return {
      ok: true,
      interaction: { time, source, destination, kind: 'flow', label: 'attack', technique: name(attack) },
    }
  }

  return { format: 'darpa-csv', parse, finish: () => [] }
}
