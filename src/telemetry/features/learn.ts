/** Takes a row into the memory, after its features were written. */

import type { Interaction } from '../interaction.ts'
import { addDistinct, addOne } from './decay.ts'
import type { Row } from './row.ts'
import { outcomeOf } from './service.ts'
import { BURST_GAP, HOST, PAIR, STREAM, stamp } from './state.ts'

/** Each new gap of a pair, and each new size, moves their running mean by this weight. */
const WEIGHT = 0.2
/** A pair counts as irregular until its rhythm has been seen: about ten even gaps. */
const JITTER_PRIOR = 2

function add(values: Float64Array, at: number, amount: number): void {
  values[at] = (values[at] as number) + amount
}

function learnHosts(row: Row, interaction: Interaction): void {
  const { source, destination, pairIsNew, hosts } = row.state
  const values = hosts.values
  addOne(values, source + HOST.sent)
  addOne(values, destination + HOST.received)
  addDistinct(values, source + HOST.fanOut, row.pairDecay, !pairIsNew)
  addDistinct(values, destination + HOST.fanIn, row.pairDecay, !pairIsNew)
  add(values, source + HOST.everSent, 1)
  add(values, destination + HOST.everReceived, 1)
  add(values, source + HOST.burst, 1)
  learnWeek(row)
  if (pairIsNew) learnNewPair(row)
  if (outcomeOf(interaction.connectionState) < 0) {
    add(values, source + HOST.failedOut, 1)
    add(values, destination + HOST.failedIn, 1)
  }
  // What leaves the house counts; traffic among local hosts would drown it.
  if (values[destination + HOST.local] === 0) add(values, source + HOST.bytesSent, interaction.sourceBytes ?? 0)
  if (interaction.destinationPort !== undefined) {
    add(values, source + HOST.portFanOut, row.pairPortGap < 0 ? 1 : 1 - Math.exp(-row.pairPortGap / 3600))
  }
}

function learnWeek(row: Row): void {
  const { source, destination, pairIsNew, hosts } = row.state
  const unmet = pairIsNew ? 1 : 1 - row.pairDecay.w1
  add(hosts.values, source + HOST.sent1w, 1)
  add(hosts.values, destination + HOST.received1w, 1)
  add(hosts.values, source + HOST.fanOut1w, unmet)
  add(hosts.values, destination + HOST.fanIn1w, unmet)
}

function learnNewPair(row: Row): void {
  const { source, destination, hosts } = row.state
  add(hosts.values, source + HOST.degreeOut, 1)
  add(hosts.values, source + HOST.newOut1h, 1)
  add(hosts.values, source + HOST.newOut1d, 1)
  add(hosts.values, destination + HOST.degreeIn, 1)
  add(hosts.values, destination + HOST.newIn1h, 1)
  add(hosts.values, destination + HOST.newIn1d, 1)
}

function learnStream(row: Row): void {
  const { stream, pairIsNew } = row.state
  add(stream, STREAM.h1, 1)
  add(stream, STREAM.d1, 1)
  if (pairIsNew) add(stream, STREAM.newPairs1h, 1)
}

function learnPair(row: Row, interaction: Interaction): void {
  const { pair, pairs, pairIsNew } = row.state
  const values = pairs.values
  add(values, pair + PAIR.m1, 1)
  add(values, pair + PAIR.h1, 1)
  add(values, pair + PAIR.d1, 1)
  add(values, pair + PAIR.w1, 1)
  add(values, pair + PAIR.burst, 1)
  if (row.pairGap < 0 || row.pairGap > BURST_GAP) add(values, pair + PAIR.sessions1w, 1)
  const size = Math.log1p(interaction.sourceBytes ?? 0)
  add(values, pair + PAIR.bytes1d, interaction.sourceBytes ?? 0)
  if (pairIsNew) {
    values[pair + PAIR.jitter] = JITTER_PRIOR
    values[pair + PAIR.meanBytes] = size
  } else {
    learnRhythm(values, pair, Math.log1p(row.pairGap))
    add(values, pair + PAIR.meanBytes, WEIGHT * (size - row.pair(PAIR.meanBytes)))
  }
  values[pair + PAIR.time] = Math.max(row.pair(PAIR.time), stamp(interaction.time))
}

function learnRhythm(values: Float64Array, pair: number, logGap: number): void {
  const interval = values[pair + PAIR.interval] as number
  const deviation = interval === 0 ? JITTER_PRIOR : Math.abs(logGap - interval)
  values[pair + PAIR.interval] = interval === 0 ? logGap : interval + WEIGHT * (logGap - interval)
  add(values, pair + PAIR.jitter, WEIGHT * (deviation - (values[pair + PAIR.jitter] as number)))
}

export function learn(row: Row, interaction: Interaction): void {
  learnHosts(row, interaction)
  learnPair(row, interaction)
  learnStream(row)
}
