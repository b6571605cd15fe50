/** Features of who meets whom, when and how often: all that a graph without any content offers. */

import type { Row } from './row.ts'
import { gapSince, HOST, PAIR } from './state.ts'
import { clamp3, NEVER, ofCount, ofGap, ofShare } from './transform.ts'

export const gapFeature = (gap: number): number => (gap < 0 ? NEVER : ofGap(gap))

export function putRecency(row: Row, time: number): void {
  const { pairs, source, destination, reverse, pairIsNew } = row.state
  row.pairGap = pairIsNew ? -1 : gapSince(row.pair(PAIR.time), time)
  row.reverseGap = reverse < 0 ? -1 : gapSince(pairs.values[reverse + PAIR.time] as number, time)
  row.put(gapFeature(row.pairGap))
  row.put(gapFeature(row.reverseGap))
  row.put(gapFeature(gapSince(row.host(source + HOST.sentTime), time)))
  row.put(gapFeature(gapSince(row.host(destination + HOST.receivedTime), time)))
  row.put(gapFeature(gapSince(row.host(source + HOST.receivedTime), time)))
  row.put(gapFeature(gapSince(row.host(destination + HOST.sentTime), time)))
  row.put(pairIsNew ? 1 : 0)
  row.put(row.reverseGap >= 0 && row.reverseGap <= 60 ? 1 : 0)
}

/** An hour's count of a role that this row does not age, decayed for reading only. */
function hourCount(row: Row, at: number, count: number, last: number, time: number): number {
  const gap = gapSince(row.host(at + last), time)
  return gap < 0 ? 0 : row.host(at + count + 2) * Math.exp(-gap / 3600)
}

export function putVolume(row: Row, time: number): void {
  const { source, destination } = row.state
  row.put(ofCount(row.pair(PAIR.m1)))
  row.put(ofCount(row.pair(PAIR.h1)))
  row.put(ofCount(row.pair(PAIR.d1)))
  for (let k = 0; k < 4; k++) row.put(ofCount(row.host(source + HOST.sent + k)))
  for (let k = 0; k < 4; k++) row.put(ofCount(row.host(destination + HOST.received + k)))
  for (let k = 0; k < 4; k++) row.put(ofCount(row.host(source + HOST.fanOut + k)))
  for (let k = 0; k < 4; k++) row.put(ofCount(row.host(destination + HOST.fanIn + k)))
  row.put(ofCount(hourCount(row, source, HOST.received, HOST.receivedTime, time)))
  row.put(ofCount(hourCount(row, destination, HOST.sent, HOST.sentTime, time)))
}

export function putShares(row: Row): void {
  const { source, destination } = row.state
  const sent = row.host(source + HOST.sent + 2)
  const received = row.host(destination + HOST.received + 2)
  row.put(ofShare(row.host(source + HOST.fanOut + 2), sent))
  row.put(ofShare(row.host(destination + HOST.fanIn + 2), received))
  row.put(ofShare(row.pair(PAIR.h1), sent))
  row.put(ofShare(row.pair(PAIR.h1), received))
}

/** Evenness of the pair's gaps: what gives a beacon away when its volume does not. */
export function putRhythm(row: Row): void {
  const interval = row.pair(PAIR.interval)
  row.put(row.state.pairIsNew ? 0 : interval / 5 - 1)
  row.put(row.state.pairIsNew ? 1 : clamp3(row.pair(PAIR.jitter) - 1))
}
