/** Features of who meets whom, when and how often: all that a graph without any content offers. */

import { expectedPerMinute } from './decay.ts'
import type { Row } from './row.ts'
import { gapSince, HOST, PAIR, stamp } from './state.ts'
import { clamp3, NEVER, ofCount, ofGap, ofShare, ofSurprise } from './transform.ts'

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

/** Brings the counts of the source as sender, the destination as receiver, and the pair, to this moment. */
export function ageCounts(row: Row, time: number): void {
  const { source, destination, pair, pairs } = row.state
  ageSent(row, source, time)
  ageReceived(row, destination, time)
  const values = pairs.values
  const decay = row.pairDecay
  decay.set(Math.max(0, row.pairGap))
  values[pair + PAIR.m1] = row.pair(PAIR.m1) * decay.m1
  values[pair + PAIR.h1] = row.pair(PAIR.h1) * decay.h1
  values[pair + PAIR.d1] = row.pair(PAIR.d1) * decay.d1
  values[pair + PAIR.bytes1d] = row.pair(PAIR.bytes1d) * decay.d1
}

function ageSent(row: Row, at: number, time: number): void {
  const values = row.state.hosts.values
  const gap = gapSince(values[at + HOST.sentTime] as number, time)
  if (gap === 0) return
  const decay = row.hostDecay
  decay.set(Math.max(0, gap))
  decay.age(values, at + HOST.sent)
  decay.age(values, at + HOST.fanOut)
  for (const field of [HOST.portFanOut, HOST.failedOut, HOST.bytesSent])
    values[at + field] = (values[at + field] as number) * decay.h1
  values[at + HOST.sentTime] = stamp(time)
}

function ageReceived(row: Row, at: number, time: number): void {
  const values = row.state.hosts.values
  const gap = gapSince(values[at + HOST.receivedTime] as number, time)
  if (gap === 0) return
  const decay = row.hostDecay
  decay.set(Math.max(0, gap))
  decay.age(values, at + HOST.received)
  decay.age(values, at + HOST.fanIn)
  values[at + HOST.failedIn] = (values[at + HOST.failedIn] as number) * decay.h1
  values[at + HOST.receivedTime] = stamp(time)
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

/** The last minute against what each entity's own history foretells. */
export function putSurprise(row: Row, time: number): void {
  const { source, destination } = row.state
  const sourceAge = Math.max(0, time - row.host(source + HOST.since))
  const destinationAge = Math.max(0, time - row.host(destination + HOST.since))
  const of = (at: number, age: number): number => ofSurprise(row.host(at), expectedPerMinute(row.host(at + 3), age))
  row.put(ofSurprise(row.pair(PAIR.m1), expectedPerMinute(row.pair(PAIR.d1), Math.min(sourceAge, destinationAge))))
  row.put(of(source + HOST.sent, sourceAge))
  row.put(of(destination + HOST.received, destinationAge))
  row.put(of(source + HOST.fanOut, sourceAge))
  row.put(of(destination + HOST.fanIn, destinationAge))
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
