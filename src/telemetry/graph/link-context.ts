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
}

/** The links of one end, gathered once, since both ends look at both. */
class End {
  count = 0
  at = -1
  /** Unsigned ids of the peers, the latest first. */
  readonly peers: Float64Array

  constructor(links: number) {
    this.peers = new Float64Array(links)
  }

  load(table: LinkTable, host: HostKey): void {
    this.at = table.find(host)
    this.count = this.at < 0 ? 0 : table.count(this.at)
    for (let k = 0; k < this.count; k++) this.peers[k] = Math.abs(table.signedPeer(table.link(this.at, k)))
  }

  /** How many links lead to this peer. */
  occurrences(peer: number): number {
    let found = 0
    for (let k = 0; k < this.count; k++) if (this.peers[k] === peer) found++
    return found
  }

  /** Share of the links whose peer is one of the other end's peers. */
  shared(other: End): number {
    let found = 0
    for (let k = 0; k < this.count; k++) if (other.occurrences(this.peers[k] as number) > 0) found++
    return this.share(found)
  }

  distinct(): number {
    let found = 0
    for (let k = 0; k < this.count; k++) if (this.peers.indexOf(this.peers[k] as number) === k) found++
    return this.share(found)
  }

  share(count: number): number {
    return this.count === 0 ? 0 : count / this.count
  }
}

export function createLinkContext(links: number): LinkContext {
  const table = new LinkTable(links)
  const [sourceEnd, destinationEnd] = [new End(links), new End(links)]

  function putPair(source: HostKey, destination: HostKey, out: Float32Array, at: number): void {
    out[at] = sourceEnd.share(sourceEnd.occurrences(destination.id))
    out[at + 1] = destinationEnd.share(destinationEnd.occurrences(source.id))
    out[at + 2] = sourceEnd.shared(destinationEnd)
    out[at + 3] = destinationEnd.shared(sourceEnd)
    out[at + 4] = sourceEnd.distinct()
    out[at + 5] = destinationEnd.distinct()
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
      out[at + 4] = own.share(own.occurrences(peer))
      out[at + 5] = other.share(other.occurrences(peer))
      for (let c = 0; c < KEPT_WIDTH; c++) out[at + LINK_WIDTH - KEPT_WIDTH + c] = table.kept(link, c)
    }
  }

  return {
    width: contextWidth(links),
    context(source, destination, time, out, offset) {
      sourceEnd.load(table, source)
      destinationEnd.load(table, destination)
      putPair(source, destination, out, offset)
      const from = offset + PAIR_WIDTH
      putLinks(sourceEnd, destinationEnd, destination.id, time, out, from)
      putLinks(destinationEnd, sourceEnd, source.id, time, out, from + links * LINK_WIDTH)
    },
    push(source, destination, time, features, from) {
      table.put(source, destination.id, time, features, from, KEPT_OF_SOURCE)
      if (source.id !== destination.id) table.put(destination, -source.id, time, features, from, KEPT_OF_DESTINATION)
    },
  }
}
