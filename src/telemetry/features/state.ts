/** What is remembered between rows: the fields of a host, a pair and a service. */

import { addressWords } from '../address.ts'
import { localMatcher, PRIVATE_NETWORKS, segmentOf } from '../networks.ts'
import { mix, SlotTable, textHash } from './slot-table.ts'

/** Fields of a host; counts take four fields each, see decay.ts. */
export const HOST = {
  sentTime: 0,
  receivedTime: 1,
  sent: 2,
  received: 6,
  fanOut: 10,
  fanIn: 14,
  portFanOut: 18,
  failedOut: 19,
  failedIn: 20,
  bytesSent: 21,
  /** Time of first appearance. */
  since: 22,
  local: 23,
  segment: 24,
  everSent: 25,
  everReceived: 26,
  degreeOut: 27,
  degreeIn: 28,
  /** Of pairs that were not known before, within an hour and a day. */
  newOut1h: 29,
  newOut1d: 30,
  newIn1h: 31,
  newIn1d: 32,
  sent1w: 33,
  received1w: 34,
  fanOut1w: 35,
  fanIn1w: 36,
  /** The burst of sending under way: since when, and how many. */
  burstSince: 37,
  burst: 38,
  /** 1 = an address of the internet, not of a private network (RFC 1918 and the like) and not a name. */
  public: 39,
} as const
const HOST_FIELDS = 40

export const PAIR = {
  time: 0,
  m1: 1,
  h1: 2,
  d1: 3,
  interval: 4,
  jitter: 5,
  bytes1d: 6,
  meanBytes: 7,
  w1: 8,
  /** Bursts of this pair, within a week. */
  sessions1w: 9,
  burstSince: 10,
  burst: 11,
} as const
const PAIR_FIELDS = 12

/** Fields of the whole stream. */
export const STREAM = { since: 0, time: 1, h1: 2, d1: 3, newPairs1h: 4 } as const

/** A longer silence ends a burst. Seconds. */
export const BURST_GAP = 600

/** At most 168 MiB of hosts, 112 MiB of pairs and 2 x 12 MiB of services, whatever is thrown at it. */
const HOSTS_MAX = 1 << 19
const PAIRS_MAX = 1 << 20
const SERVICES_MAX = 1 << 19

/** Seconds are stored + 1, so that 0 means never. */
export const stamp = (time: number): number => time + 1
export const gapSince = (stored: number, time: number): number => (stored === 0 ? -1 : Math.max(0, time + 1 - stored))

export class StreamState {
  readonly hosts = new SlotTable(HOST_FIELDS, HOSTS_MAX)
  readonly pairs = new SlotTable(PAIR_FIELDS, PAIRS_MAX, 4096)
  /** Last use of (source, destination port), and of (source, destination, destination port). */
  readonly sourcePorts = new SlotTable(1, SERVICES_MAX)
  readonly pairPorts = new SlotTable(1, SERVICES_MAX)
  readonly stream = new Float64Array(5)
  private readonly isLocal: (address: string) => boolean
  private readonly isPrivate = localMatcher(PRIVATE_NETWORKS)
  source = 0
  destination = 0
  /** -1 = the reverse pair is not known. */
  reverse = 0
  pair = 0
  /** True if the pair was not known before this row. */
  pairIsNew = false
  private s1 = 0
  private s2 = 0
  private d1 = 0
  private d2 = 0

  constructor(isLocal: (address: string) => boolean) {
    this.isLocal = isLocal
  }

  /** Finds or makes the slots of both ends and of their pair. */
  locate(source: string, destination: string, time: number): void {
    this.s1 = textHash(source, 0x9e3779b9)
    this.s2 = textHash(source, 0x51ed270b)
    this.d1 = textHash(destination, 0x9e3779b9)
    this.d2 = textHash(destination, 0x51ed270b)
    this.source = this.host(source, this.s1, this.s2, time)
    const generation = this.hosts.generation
    this.destination = this.host(destination, this.d1, this.d2, time)
    if (this.hosts.generation !== generation) this.source = this.host(source, this.s1, this.s2, time)
    this.locatePair()
  }

  private locatePair(): void {
    const { pairs, s1, s2, d1, d2 } = this
    const p1 = mix(s1 ^ Math.imul(d1, 0x9e3779b1))
    const p2 = mix(s2 ^ Math.imul(d2, 0x85ebca77))
    this.pair = pairs.find(p1, p2)
    this.pairIsNew = this.pair < 0
    if (this.pairIsNew) this.pair = pairs.claim(p1, p2)
    else pairs.touch(this.pair)
    this.reverse = pairs.find(mix(d1 ^ Math.imul(s1, 0x9e3779b1)), mix(d2 ^ Math.imul(s2, 0x85ebca77)))
  }

  private host(address: string, h1: number, h2: number, time: number): number {
    let at = this.hosts.find(h1, h2)
    if (at >= 0) {
      this.hosts.touch(at)
      return at
    }
    at = this.hosts.claim(h1, h2)
    const values = this.hosts.values
    values[at + HOST.since] = time
    values[at + HOST.local] = this.isLocal(address) ? 1 : 0
    values[at + HOST.public] = this.isPublic(address) ? 1 : 0
    values[at + HOST.segment] = textHash(segmentOf(address) ?? address, addressWords(address)?.[2] === 0xffff ? 4 : 6)
    return at
  }

  private isPublic(address: string): boolean {
    return addressWords(address) !== undefined && !this.isPrivate(address)
  }

  /** Seconds since the source last used this port anywhere, -1 if never; then remembers this use. */
  sourcePortGap(port: number, time: number): number {
    return this.useOf(this.sourcePorts, mix(this.s1 + port), mix(this.s2 ^ Math.imul(port + 1, 0x27d4eb2f)), time)
  }

  /** As {@link sourcePortGap}, towards this destination. */
  pairPortGap(port: number, time: number): number {
    const h1 = mix((this.s1 ^ Math.imul(this.d1, 0xc2b2ae3d)) + port)
    return this.useOf(
      this.pairPorts,
      h1,
      mix((this.s2 ^ Math.imul(this.d2, 0x165667b1)) + Math.imul(port, 0x27d4eb2f)),
      time,
    )
  }

  private useOf(table: SlotTable, h1: number, h2: number, time: number): number {
    let at = table.find(h1, h2)
    if (at < 0) at = table.claim(h1, h2)
    else table.touch(at)
    const gap = gapSince(table.values[at] as number, time)
    table.values[at] = Math.max(table.values[at] as number, stamp(time))
    return gap
  }
}
