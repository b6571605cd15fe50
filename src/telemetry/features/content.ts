/** Features of what a contact carried, where the log says so; zeros where it does not. */

import type { Interaction } from '../interaction.ts'
import { gapFeature } from './contacts.ts'
import type { Row } from './row.ts'
import { FILE, MACHINE, MAIL, NAME, outcomeOf, REMOTE, serviceClass, WEB } from './service.ts'
import { HOST, PAIR } from './state.ts'
import { clamp3, NEVER, ofBytes, ofCount, ofDuration, ofShare } from './transform.ts'

/** Ports from here on are ephemeral (RFC 6335 says 49152; many systems begin at 32768). */
const EPHEMERAL = 32768

export function putService(row: Row, interaction: Interaction, time: number): void {
  const { protocol, destinationPort: port, service } = interaction
  const kind = serviceClass(port, service)
  row.put(protocol === 'tcp' ? 1 : 0)
  row.put(protocol === 'udp' ? 1 : 0)
  row.put(protocol === 'icmp' || protocol === 'ipv6-icmp' ? 1 : 0)
  row.put(port !== undefined && port >= EPHEMERAL ? 1 : 0)
  row.put(kind === NAME ? 1 : 0)
  row.put(kind === WEB ? 1 : 0)
  row.put(kind === FILE ? 1 : 0)
  row.put(kind === REMOTE ? 1 : 0)
  row.put(kind === MAIL ? 1 : 0)
  row.put(kind === MACHINE ? 1 : 0)
  row.pairPortGap = port === undefined ? -1 : row.state.pairPortGap(port, time)
  row.put(port === undefined ? 0 : gapFeature(row.state.sourcePortGap(port, time)))
  row.put(port === undefined ? 0 : row.pairPortGap < 0 ? NEVER : gapFeature(row.pairPortGap))
  row.put(ofCount(row.host(row.state.source + HOST.portFanOut)))
}

export function putOutcome(row: Row, interaction: Interaction): void {
  const outcome = outcomeOf(interaction.connectionState)
  const { source, destination } = row.state
  row.put(outcome < 0 ? 1 : 0)
  row.put(outcome > 0 ? 1 : 0)
  row.put(ofShare(row.host(source + HOST.failedOut), row.host(source + HOST.sent + 2)))
  row.put(ofShare(row.host(destination + HOST.failedIn), row.host(destination + HOST.received + 2)))
}

export function putBytes(row: Row, interaction: Interaction): void {
  const { sourceBytes, destinationBytes, durationSeconds } = interaction
  const known = sourceBytes !== undefined || destinationBytes !== undefined
  const sent = Math.log1p(sourceBytes ?? 0)
  row.put(known ? 1 : 0)
  row.put(known ? ofBytes(sourceBytes ?? 0) : 0)
  row.put(known ? ofBytes(destinationBytes ?? 0) : 0)
  row.put(known ? clamp3((sent - Math.log1p(destinationBytes ?? 0)) / 5) : 0)
  row.put(durationSeconds === undefined ? 0 : ofDuration(durationSeconds))
  row.put(known && !row.state.pairIsNew ? clamp3((sent - row.pair(PAIR.meanBytes)) / 3) : 0)
  row.put(ofBytes(row.pair(PAIR.bytes1d)))
  row.put(ofBytes(row.host(row.state.source + HOST.bytesSent)))
}

export function putDirection(row: Row): void {
  const { source, destination } = row.state
  row.put(row.host(source + HOST.local))
  row.put(row.host(destination + HOST.local))
  row.put(row.host(source + HOST.public))
  row.put(row.host(destination + HOST.public))
  row.put(row.host(source + HOST.segment) === row.host(destination + HOST.segment) ? 1 : 0)
}

/** Who the ends are, in effect; see FEATURE_GROUPS for why this is off by default. */
export function putIdentity(row: Row, time: number): void {
  const { source, destination } = row.state
  row.put(ofCount(row.host(source + HOST.everSent)))
  row.put(ofCount(row.host(destination + HOST.everReceived)))
  row.put(ofCount(row.host(source + HOST.degreeOut)))
  row.put(ofCount(row.host(destination + HOST.degreeIn)))
  row.put(gapFeature(Math.max(0, time - row.host(source + HOST.since))))
  row.put(gapFeature(Math.max(0, time - row.host(destination + HOST.since))))
  row.put(Math.sin((2 * Math.PI * time) / 86_400))
  row.put(Math.cos((2 * Math.PI * time) / 86_400))
}
