/** Brings counts to the moment of a row, before its features are read from them. */

import type { Row } from './row.ts'
import { BURST_GAP, gapSince, HOST, PAIR, STREAM, stamp } from './state.ts'

/** The counts of the source as sender, the destination as receiver, the pair, and the whole stream. */
export function ageCounts(row: Row, time: number): void {
  const { source, destination } = row.state
  ageStream(row, time)
  ageSent(row, source, time)
  ageReceived(row, destination, time)
  agePair(row, time)
}

function scale(values: Float64Array, at: number, factor: number): void {
  values[at] = (values[at] as number) * factor
}

function agePair(row: Row, time: number): void {
  const { pair, pairs } = row.state
  const values = pairs.values
  const decay = row.pairDecay
  decay.set(Math.max(0, row.pairGap))
  scale(values, pair + PAIR.m1, decay.m1)
  scale(values, pair + PAIR.h1, decay.h1)
  scale(values, pair + PAIR.d1, decay.d1)
  scale(values, pair + PAIR.bytes1d, decay.d1)
  scale(values, pair + PAIR.w1, decay.w1)
  scale(values, pair + PAIR.sessions1w, decay.w1)
  if (row.pairGap >= 0 && row.pairGap <= BURST_GAP) return
  values[pair + PAIR.burstSince] = time
  values[pair + PAIR.burst] = 0
}

function ageSent(row: Row, at: number, time: number): void {
  const values = row.state.hosts.values
  const gap = gapSince(values[at + HOST.sentTime] as number, time)
  if (gap === 0) return
  const decay = row.hostDecay
  decay.set(Math.max(0, gap))
  decay.age(values, at + HOST.sent)
  decay.age(values, at + HOST.fanOut)
  scale(values, at + HOST.portFanOut, decay.h1)
  scale(values, at + HOST.failedOut, decay.h1)
  scale(values, at + HOST.bytesSent, decay.h1)
  scale(values, at + HOST.newOut1h, decay.h1)
  scale(values, at + HOST.newOut1d, decay.d1)
  scale(values, at + HOST.sent1w, decay.w1)
  scale(values, at + HOST.fanOut1w, decay.w1)
  if (gap < 0 || gap > BURST_GAP) {
    values[at + HOST.burstSince] = time
    values[at + HOST.burst] = 0
  }
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
  scale(values, at + HOST.failedIn, decay.h1)
  scale(values, at + HOST.newIn1h, decay.h1)
  scale(values, at + HOST.newIn1d, decay.d1)
  scale(values, at + HOST.received1w, decay.w1)
  scale(values, at + HOST.fanIn1w, decay.w1)
  values[at + HOST.receivedTime] = stamp(time)
}

function ageStream(row: Row, time: number): void {
  const { stream } = row.state
  if (stream[STREAM.since] === 0) stream[STREAM.since] = stamp(time)
  const gap = gapSince(stream[STREAM.time] as number, time)
  if (gap === 0) return
  const decay = row.hostDecay
  decay.set(Math.max(0, gap))
  scale(stream, STREAM.h1, decay.h1)
  scale(stream, STREAM.newPairs1h, decay.h1)
  scale(stream, STREAM.d1, decay.d1)
  stream[STREAM.time] = stamp(time)
}
