/**
 * What is happening against what the history of the same pair, source or destination leads one to expect: the last minute
 * against a day, and the last hour against a week. The mean is over the time that the log covers, as in MIDAS, and not
 * over the life of the host: else a newcomer's burst would be all the history it has, and so no surprise.
 */

import { coveredSeconds, DAY, HOUR, MINUTE, WEEK } from './decay.ts'
import type { Row } from './row.ts'
import { gapSince, HOST, PAIR, STREAM } from './state.ts'
import { ofSurprise } from './transform.ts'

export function putSurprise(row: Row, time: number): void {
  const age = gapSince(row.state.stream[STREAM.since] as number, time)
  putMinuteAgainstDay(row, MINUTE / Math.max(MINUTE, coveredSeconds(DAY, age)))
  putHourAgainstWeek(row, HOUR / Math.max(MINUTE, coveredSeconds(WEEK, age)))
}

function putMinuteAgainstDay(row: Row, share: number): void {
  const { source, destination } = row.state
  row.put(ofSurprise(row.pair(PAIR.m1), row.pair(PAIR.d1) * share))
  row.put(ofSurprise(row.host(source + HOST.sent), row.host(source + HOST.sent + 3) * share))
  row.put(ofSurprise(row.host(destination + HOST.received), row.host(destination + HOST.received + 3) * share))
  row.put(ofSurprise(row.host(source + HOST.fanOut), row.host(source + HOST.fanOut + 3) * share))
  row.put(ofSurprise(row.host(destination + HOST.fanIn), row.host(destination + HOST.fanIn + 3) * share))
}

function putHourAgainstWeek(row: Row, share: number): void {
  const { source, destination } = row.state
  row.put(ofSurprise(row.pair(PAIR.h1), row.pair(PAIR.w1) * share))
  row.put(ofSurprise(row.host(source + HOST.sent + 2), row.host(source + HOST.sent1w) * share))
  row.put(ofSurprise(row.host(destination + HOST.received + 2), row.host(destination + HOST.received1w) * share))
  row.put(ofSurprise(row.host(source + HOST.fanOut + 2), row.host(source + HOST.fanOut1w) * share))
  row.put(ofSurprise(row.host(destination + HOST.fanIn + 2), row.host(destination + HOST.fanIn1w) * share))
}
