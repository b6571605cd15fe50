/**
 * The graph around an interaction, from the past only: the latest links of both ends and how they overlap. One pass,
 * no look-ahead, bounded memory, no randomness. Columns: layout.ts.
 */

import { ofGap } from '../features/transform.ts'
import type { HostKey } from './host-key.ts'
import { contextWidth, KEPT_OF_DESTINATION, KEPT_OF_SOURCE, KEPT_WIDTH, LINK_WIDTH, PAIR_WIDTH } from './layout.ts'
import { LinkTable } from './link-table.ts'

export interface LinkContext {
  /** Columns of a context. */
  readonly width: number
  /**
   * Writes what is known of the two ends to out[offset ... offset + width), and learns nothing: the pair may be one that
   * never was in contact. `time` in seconds.
   */
  context(source: HostKey, destination: HostKey, time: number, out: Float32Array, offset: number): void
  /** Takes an interaction into the memory of both ends; its features begin at features[from]. */
  push(source: HostKey, destination: HostKey, time: number, features: Float32Array, from: number): void
  /** Gives the memory back, up to 42 MiB; nothing may be asked afterwards. */
  release(): void
}

/** The links of one end, gathered and compared once for all columns that ask for them. */
class End {
  count = 0
  at = -1
  /** Links whose peer is one of the other end's peers, and peers without their repetitions. */
  shared = 0
  distinct = 0
  /** Unsigned ids of the peers, the latest first; how often each occurs among the own links, and among the other end's. */
  readonly peers: Float64Array
  readonly inOwn: Uint8Array
  readonly inOther: Uint8Array

  constructor(links: number) {
    this.peers = new Float64Array(links)
    this.inOwn = new Uint8Array(links)
    this.inOther = new Uint8Array(links)
  }

  load(table: LinkTable, host: HostKey): void {
    this.at = table.find(host)
    this.count = this.at < 0 ? 0 : table.count(this.at)
    for (let k = 0; k < this.count; k++) this.peers[k] = Math.abs(table.signedPeer(table.link(this.at, k)))
  }

  /** After both ends are loaded. */
  compare(other: End): void {
    this.shared = 0
    this.distinct = 0
    for (let k = 0; k < this.count; k++) {
      const peer = this.peers[k] as number
      const found = other.occurrences(peer, other.count)
      if (found > 0) this.shared++
      if (this.occurrences(peer, k) === 0) this.distinct++
      this.inOther[k] = found
      this.inOwn[k] = this.occurrences(peer, this.count)
    }
  }

  /** How many of the latest `among` links lead to this peer. */
  occurrences(peer: number, among: number): number {
    let found = 0
    for (let k = 0; k < among; k++) if (this.peers[k] === peer) found++
    return found
  }

  share(count: number): number {
    return this.count === 0 ? 0 : count / this.count
  }
}

export function createLinkContext(links: number): LinkContext {
  const table = new LinkTable(links)
  const [sourceEnd, destinationEnd] = [new End(links), new End(links)]

  function putPair(source: HostKey, destination: HostKey, out: Float32Array, at: number): void {
    out[at] = sourceEnd.share(sourceEnd.occurrences(destination.id, sourceEnd.count))
    out[at + 1] = destinationEnd.share(destinationEnd.occurrences(source.id, destinationEnd.count))
    out[at + 2] = sourceEnd.share(sourceEnd.shared)
    out[at + 3] = destinationEnd.share(destinationEnd.shared)
    out[at + 4] = sourceEnd.share(sourceEnd.distinct)
    out[at + 5] = destinationEnd.share(destinationEnd.distinct)
    out[at + 6] = sourceEnd.count / links
    out[at + 7] = destinationEnd.count / links
  }

  function putLinks(own: End, other: End, otherId: number, time: number, out: Float32Array, from: number): void {
    for (let k = 0; k < links; k++) {
      const at = from + k * LINK_WIDTH
      if (k >= own.count) {
        out.fill(0, at, at + LINK_WIDTH)
        out[at] = -1
        continue
      }
      const link = table.link(own.at, k)
      const peer = own.peers[k] as number
      const age = Math.max(0, time - table.time(link))
      out[at] = age
      out[at + 1] = ofGap(age)
      out[at + 2] = table.signedPeer(link) > 0 ? 1 : -1
      out[at + 3] = peer === otherId ? 1 : 0
      out[at + 4] = own.share(own.inOwn[k] as number)
      out[at + 5] = other.share(own.inOther[k] as number)
      for (let c = 0; c < KEPT_WIDTH; c++) out[at + LINK_WIDTH - KEPT_WIDTH + c] = table.kept(link, c)
    }
  }

  return {
    width: contextWidth(links),
    context(source, destination, time, out, offset) {
      sourceEnd.load(table, source)
      destinationEnd.load(table, destination)
      sourceEnd.compare(destinationEnd)
      destinationEnd.compare(sourceEnd)
      putPair(source, destination, out, offset)
      const from = offset + PAIR_WIDTH
      putLinks(sourceEnd, destinationEnd, destination.id, time, out, from)
      putLinks(destinationEnd, sourceEnd, source.id, time, out, from + links * LINK_WIDTH)
    },
    push(source, destination, time, features, from) {
      table.put(source, destination.id, time, features, from, KEPT_OF_SOURCE)
      if (source.id !== destination.id) table.put(destination, -source.id, time, features, from, KEPT_OF_DESTINATION)
    },
    release: () => table.release(),
  }
}
