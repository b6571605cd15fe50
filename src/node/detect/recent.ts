/**
 * The latest interactions of each host: what an explanation can show of the past. Bounded: hosts are kept in two
 * generations, and when the younger is full the older is forgotten, with all who were idle since it was closed.
 */

import type { Interaction } from '../../telemetry/interaction.ts'

const HOSTS_MAX = 1 << 15

export class RecentInteractions {
  private young = new Map<string, Interaction[]>()
  private old = new Map<string, Interaction[]>()
  private readonly perHost: number
  private readonly hostsMax: number

  /** @param hostsMax of each generation */
  constructor(perHost: number, hostsMax: number = HOSTS_MAX) {
    this.perHost = perHost
    this.hostsMax = hostsMax
  }

  push(interaction: Interaction): void {
    this.remember(interaction.source, interaction)
    if (interaction.source !== interaction.destination) this.remember(interaction.destination, interaction)
  }

  private remember(host: string, interaction: Interaction): void {
    const ring = this.young.get(host) ?? this.rejuvenate(host)
    if (ring.length === this.perHost) ring.shift()
    ring.push(interaction)
  }

  private rejuvenate(host: string): Interaction[] {
    if (this.young.size >= this.hostsMax) {
      this.old = this.young
      this.young = new Map()
    }
    const ring = this.old.get(host) ?? []
    this.young.set(host, ring)
    return ring
  }

  /** The latest first. */
  of(host: string): readonly Interaction[] {
    return (this.young.get(host) ?? this.old.get(host) ?? []).toReversed()
  }
}
