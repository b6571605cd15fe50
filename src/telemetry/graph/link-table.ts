/**
 * The latest links of each host, a ring a host in an eight-way table of typed arrays (features/slot-table.ts): memory is
 * bounded whatever addresses an adversary invents, and the host that was idle longest is forgotten first.
 */

import { SlotTable } from '../features/slot-table.ts'
import type { HostKey } from './host-key.ts'
import { KEPT_WIDTH } from './layout.ts'

/** At most 42 MiB with eight links. */
const HOSTS_MAX = 1 << 16
/** Fields of a host before its links: how many were ever put. */
const HEAD = 1
/** Fields of a link before the kept columns: time, and the peer's id, negative where the host was the destination. */
const LINK_HEAD = 2
const LINK_FIELDS = LINK_HEAD + KEPT_WIDTH

export class LinkTable {
  readonly links: number
  private readonly table: SlotTable

  constructor(links: number) {
    this.links = links
    this.table = new SlotTable(HEAD + links * LINK_FIELDS, HOSTS_MAX)
  }

  /** Gives the memory back; nothing may be asked afterwards. */
  release(): void {
    this.table.release()
  }

  /** Start of a host's fields, or -1. Stale after the next {@link put}. */
  find(host: HostKey): number {
    return this.table.find(host.first, host.second)
  }

  /** Links held of a found host. */
  count(at: number): number {
    return Math.min(this.table.values[at] as number, this.links)
  }

  /** Start of the link that is `back` links before the latest. */
  link(at: number, back: number): number {
    const put = this.table.values[at] as number
    return at + HEAD + ((put - 1 - back) % this.links) * LINK_FIELDS
  }

  time(link: number): number {
    return this.table.values[link] as number
  }

  /** The peer's id, negative where the host was the destination. */
  signedPeer(link: number): number {
    return this.table.values[link + 1] as number
  }

  kept(link: number, column: number): number {
    return this.table.values[link + LINK_HEAD + column] as number
  }

  /** Takes a link into the ring of a host; `columns` of the features from `from` on are kept. */
  put(
    host: HostKey,
    signedPeer: number,
    time: number,
    features: Float32Array,
    from: number,
    columns: readonly number[],
  ): void {
    const { table } = this
    let at = table.find(host.first, host.second)
    if (at < 0) at = table.claim(host.first, host.second)
    else table.touch(at)
    const { values } = table
    values[at] = (values[at] as number) + 1
    const link = this.link(at, 0)
    values[link] = time
    values[link + 1] = signedPeer
    for (let c = 0; c < KEPT_WIDTH; c++)
      values[link + LINK_HEAD + c] = features[from + (columns[c] as number)] as number
  }
}
