/** How usual a contact is here: for its pair, for the direction, and beside all that the organisation sees. */

import { gapFeature } from './contacts.ts'
import type { Row } from './row.ts'
import { HOST, PAIR, STREAM } from './state.ts'
import { clamp3, ofCount, ofShareOfStream } from './transform.ts'

/** A pair that meets on many occasions is at home here, however little it says; one long burst is a single occasion. */
export function putFamiliarity(row: Row): void {
  const { source, destination } = row.state
  row.put(ofCount(row.pair(PAIR.w1)))
  row.put(ofCount(row.pair(PAIR.sessions1w)))
  row.put(ofCount(row.host(source + HOST.newOut1h)))
  row.put(ofCount(row.host(source + HOST.newOut1d)))
  row.put(ofCount(row.host(destination + HOST.newIn1h)))
  row.put(ofCount(row.host(destination + HOST.newIn1d)))
}

/** Shares of the organisation's own traffic mean the same in a large and in a small one; counts do not. */
export function putStreamShares(row: Row): void {
  const { source, destination, stream } = row.state
  const hour = stream[STREAM.h1] as number
  const day = stream[STREAM.d1] as number
  row.put(ofShareOfStream(row.pair(PAIR.h1), hour))
  row.put(ofShareOfStream(row.host(source + HOST.sent + 2), hour))
  row.put(ofShareOfStream(row.host(destination + HOST.received + 2), hour))
  row.put(ofShareOfStream(row.host(source + HOST.sent + 3), day))
  row.put(ofShareOfStream(row.host(destination + HOST.received + 3), day))
  row.put(ofShareOfStream(row.host(source + HOST.newOut1h), stream[STREAM.newPairs1h] as number))
}

/** What comes back: a scan and a flood of forged sources get no answers. */
export function putAnswers(row: Row): void {
  const { pairs, reverse } = row.state
  const last = reverse < 0 ? 0 : (pairs.values[reverse + PAIR.h1] as number)
  const answers = last * Math.exp(-Math.max(0, row.reverseGap) / 3600)
  row.put(ofCount(answers))
  row.put(clamp3((Math.log1p(row.pair(PAIR.h1)) - Math.log1p(answers)) / 2))
}

/** Contacts and length of the burst under way, of the pair and of the source. */
export function putBursts(row: Row, time: number): void {
  const { source } = row.state
  row.put(ofCount(row.pair(PAIR.burst)))
  row.put(gapFeature(Math.max(0, time - row.pair(PAIR.burstSince))))
  row.put(ofCount(row.host(source + HOST.burst)))
  row.put(gapFeature(Math.max(0, time - row.host(source + HOST.burstSince))))
}
