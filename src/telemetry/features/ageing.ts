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
  for (const field of [PAIR.d1, PAIR.bytes1d]) scale(values, pair + field, decay.d1)
  for (const field of [PAIR.w1, PAIR.sessions1w]) scale(values, pair + field, decay.w1)
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
  for (const field of [HOST.portFanOut, HOST.failedOut, HOST.bytesSent, HOST.newOut1h])
    scale(values, at + field, decay.h1)
  scale(values, at + HOST.newOut1d, decay.d1)
  for (const field of [HOST.sent1w, HOST.fanOut1w]) scale(values, at + field, decay.w1)
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
  for (const field of [HOST.failedIn, HOST.newIn1h]) scale(values, at + field, decay.h1)
  scale(values, at + HOST.newIn1d, decay.d1)
  for (const field of [HOST.received1w, HOST.fanIn1w]) scale(values, at + field, decay.w1)
  values[at + HOST.receivedTime] = stamp(time)
}

function ageStream(row: Row, time: number): void {
  const { stream } = row.state
  if (stream[STREAM.since] === 0) stream[STREAM.since] = stamp(time)
  const gap = gapSince(stream[STREAM.time] as number, time)
  if (gap === 0) return
  const decay = row.hostDecay
  decay.set(Math.max(0, gap))
  for (const field of [STREAM.h1, STREAM.newPairs1h]) scale(stream, field, decay.h1)
  scale(stream, STREAM.d1, decay.d1)
  stream[STREAM.time] = stamp(time)
}
