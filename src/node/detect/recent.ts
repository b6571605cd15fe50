/**
 * The latest interactions of each host: what an explanation can show of the past. Bounded: of the hosts the one that was
 * idle longest is forgotten.
 */

import type { Interaction } from '../../telemetry/interaction.ts'

const HOSTS_MAX = 1 << 15

export class RecentInteractions {
  private readonly hosts = new Map<string, Interaction[]>()
  private readonly perHost: number
  private readonly hostsMax: number

  constructor(perHost: number, hostsMax: number = HOSTS_MAX) {
    this.perHost = perHost
    this.hostsMax = hostsMax
  }

  push(interaction: Interaction): void {
    this.remember(interaction.source, interaction)
    if (interaction.source !== interaction.destination) this.remember(interaction.destination, interaction)
  }

  private remember(host: string, interaction: Interaction): void {
    const { hosts } = this
    const ring = hosts.get(host) ?? []
    if (ring.length > 0) hosts.delete(host)
    hosts.set(host, ring)
    ring.push(interaction)
    if (ring.length > this.perHost) ring.shift()
    if (hosts.size <= this.hostsMax) return
    for (const oldest of hosts.keys()) {
      hosts.delete(oldest)
      return
    }
  }

  /** The latest first. */
  of(host: string): readonly Interaction[] {
    return (this.hosts.get(host) ?? []).toReversed()
  }
}
