/** Which organisation an interaction of one shared capture belongs to. */

import { fail } from '../base/errors.ts'
import { localMatcher, PRIVATE_NETWORKS, segmentOf } from './networks.ts'

export interface SitePlan {
  readonly name: string
  /** Networks of this site, as CIDR. */
  readonly localNetworks: readonly string[]
}

/** DARPA-98's networks as organisations, in the order in which `--orgs` takes them. */
export const DARPA_SITES: readonly SitePlan[] = [
  { name: 'a', localNetworks: ['172.16.112.0/24'] },
  { name: 'b', localNetworks: ['172.16.113.0/24'] },
  { name: 'c', localNetworks: ['172.16.114.0/24'] },
  { name: 'd', localNetworks: ['192.168.1.0/24'] },
  { name: 'e', localNetworks: ['194.27.251.0/24'] },
  { name: 'f', localNetworks: [110, 111, 115, 116, 117, 118, 119].map((third) => `172.16.${third}.0/24`) },
]

/**
 * Site of DARPA-98 by a padded address (`172.016.112.020`), else -1: text comparison, since it runs 9 million times.
 */
export function darpaSiteOf(padded: string): number {
  if (padded.startsWith('172.016.11')) {
    const third = padded.charCodeAt(10) - 48
    return third === 2 ? 0 : third === 3 ? 1 : third === 4 ? 2 : 5
  }
  return padded.startsWith('192.168.001.') ? 3 : padded.startsWith('194.027.251.') ? 4 : -1
}

/** The first `count` of DARPA's six organisations. @throws invalid-request for more than six */
export function darpaSites(count: number): readonly SitePlan[] {
  if (count > DARPA_SITES.length)
    fail('invalid-request', `DARPA-98 holds ${DARPA_SITES.length} organisations; ${count} were asked for`)
  return DARPA_SITES.slice(0, count)
}

/** How many interactions each address would bring its site: as a private address, or as any. */
export interface EndpointCounts {
  readonly local: ReadonlyMap<string, number>
  readonly all: ReadonlyMap<string, number>
}

/** Beyond so many addresses, new ones are not counted: a scan from forged sources must not exhaust memory. */
const ENDPOINTS_MAX = 1 << 18

/** Multicast and broadcast groups are nobody's hosts. */
function isHost(address: string): boolean {
  const first = Number(address.split('.')[0])
  return address.includes(':')
    ? !address.startsWith('ff') && address !== '::'
    : first > 0 && first < 224 && !address.endsWith('.255')
}

/** Counts each interaction for the end that decides its site: the destination if it is local, else the source. */
export function endpointCounter(): {
  count(source: string, destination: string): void
  readonly counts: EndpointCounts
} {
  const isPrivate = localMatcher(PRIVATE_NETWORKS)
  const local = new Map<string, number>()
  const all = new Map<string, number>()
  const localHost = (address: string): boolean => local.has(address) || (isPrivate(address) && isHost(address))
  const add = (counts: Map<string, number>, address: string): void => {
    const before = counts.get(address)
    if (before !== undefined || counts.size < ENDPOINTS_MAX) counts.set(address, (before ?? 0) + 1)
  }
  return {
    count(source, destination) {
      if (localHost(destination)) add(local, destination)
      else if (localHost(source)) add(local, source)
      add(all, isHost(destination) ? destination : source)
    },
    counts: { local, all },
  }
}

interface Unit {
  readonly network: string
  readonly weight: number
}

function ranked(weights: ReadonlyMap<string, number>): Unit[] {
  const units = [...weights].map(([network, weight]) => ({ network, weight }))
  return units.sort((a, b) => b.weight - a.weight || (a.network < b.network ? -1 : 1))
}

function segmentWeights(hosts: ReadonlyMap<string, number>): Map<string, number> {
  const weights = new Map<string, number>()
  for (const [address, weight] of hosts) {
    const segment = segmentOf(address)
    if (segment !== undefined) weights.set(segment, (weights.get(segment) ?? 0) + weight)
  }
  return weights
}

function hostNetwork(address: string): string {
  return `${address}/${address.includes(':') ? 128 : 32}`
}

/** Segments where there are enough of them, else single hosts. */
function unitsOf(hosts: ReadonlyMap<string, number>, count: number): Unit[] {
  const segments = ranked(segmentWeights(hosts))
  return segments.length >= count
    ? segments
    : ranked(new Map([...hosts].map(([address, weight]) => [hostNetwork(address), weight])))
}

/**
 * Divides a capture's hosts among `count` sites: private addresses, or where those are too few the most frequent ends.
 * Each /24 (IPv6: /64) goes whole to one site; when there are fewer of them than sites, single hosts do. The busiest
 * units are dealt first, each to the site that has the least so far.
 * @throws input-invalid if the capture has fewer hosts than sites
 */
export function planSites(counts: EndpointCounts, count: number): readonly SitePlan[] {
  const local = unitsOf(counts.local, count)
  const units = local.length >= count ? local : unitsOf(counts.all, count)
  if (units.length < count)
    fail('input-invalid', `the capture shows ${units.length} hosts, too few for ${count} organisations`)
  const sites = Array.from({ length: count }, (_, i) => ({
    name: `site-${i + 1}`,
    localNetworks: [] as string[],
    weight: 0,
  }))
  for (const { network, weight } of units) {
    const lightest = sites.reduce((least, site) => (site.weight < least.weight ? site : least))
    lightest.localNetworks.push(network)
    lightest.weight += weight
  }
  return sites.map(({ name, localNetworks }) => ({ name, localNetworks }))
}

/** Site of an interaction: the destination's, else the source's, else -1. */
export function siteMatcher(sites: readonly SitePlan[]): (source: string, destination: string) => number {
  const siteOfNetwork = new Map(sites.flatMap((site, i) => site.localNetworks.map((network) => [network, i] as const)))
  const siteOf = (address: string): number =>
    siteOfNetwork.get(hostNetwork(address)) ?? siteOfNetwork.get(segmentOf(address) ?? '') ?? -1
  return (source, destination) => {
    const site = siteOf(destination)
    return site >= 0 ? site : siteOf(source)
  }
}
