/** The hosts of a site and of the outside, drawn once by the seed. */

import { type Prng, prng } from '../../base/prng.ts'

export interface Site {
  readonly index: number
  readonly name: string
  readonly localNetworks: readonly string[]
  readonly office: readonly string[]
  readonly iot: readonly string[]
  readonly servers: Servers
  /** Hosts of administrators: few, and they reach everything. */
  readonly admins: readonly string[]
  /** Relative activity of each kind of traffic; no two sites have the same mix. */
  readonly mix: Mix
  readonly outside: Outside
}

export interface Servers {
  readonly directory: string
  readonly dns: string
  readonly files: string
  readonly mail: string
  readonly web: string
  readonly database: string
  readonly backup: string
  readonly monitor: string
  readonly scanner: string
  readonly printer: string
  readonly broker: string
}

export interface Mix {
  readonly browsing: number
  readonly files: number
  readonly mail: number
  readonly inbound: number
  readonly administration: number
  readonly database: number
  readonly noise: number
}

export interface Outside {
  /** By popularity: index 0 is the most visited. */
  readonly peers: readonly string[]
  readonly resolvers: readonly string[]
  readonly clouds: readonly string[]
  /** A peer by Zipf's law. */
  popular(random: Prng): string
  /** An address that nobody visited before, most likely. */
  stranger(random: Prng): string
}

const PEERS = 4000

/** A public unicast address. */
function publicAddress(random: Prng): string {
  for (;;) {
    const first = 11 + random.below(200)
    if (
      first === 127 ||
      first === 172 ||
      first === 192 ||
      first === 169 ||
      first === 100 ||
      first === 198 ||
      first === 203
    )
      continue
    return `${first}.${random.below(256)}.${random.below(256)}.${1 + random.below(254)}`
  }
}

/** The internet that all sites share; each sees it in a slightly different order of popularity. */
function outside(seed: string, site: number): Outside {
  const common = prng(`traffic/${seed}/outside`)
  const peers = Array.from({ length: PEERS }, () => publicAddress(common))
  const own = prng(`traffic/${seed}/outside/${site}`)
  for (let i = 0; i < PEERS; i++) {
    const j = Math.min(PEERS - 1, Math.floor(i * (0.5 + own.uniform() * 1.5)))
    const held = peers[i] as string
    peers[i] = peers[j] as string
    peers[j] = held
  }
  return outsideOf(peers, site)
}

/** The outside as a list of peers by popularity, at least one. */
export function outsideOf(peers: readonly string[], site: number): Outside {
  const at = (rank: number): string => peers[rank % peers.length] as string
  return {
    peers,
    resolvers: [at(1), at(4)],
    clouds: Array.from({ length: 12 }, (_, i) => at(3 * i + site)),
    // Density 1/x over [1, peers]: Zipf's law with exponent 1.
    popular: (random) => at(Math.floor(peers.length ** random.uniform()) - 1),
    stranger: publicAddress,
  }
}

const between = (random: Prng, low: number, high: number): number => low + random.below(high - low + 1)

/** Addresses come from a pool with gaps, as leases do. */
function hostsIn(random: Prng, network: string, count: number): string[] {
  const hosts: string[] = []
  let last = 10
  for (let i = 0; i < count; i++) {
    last += 1 + random.below(3)
    hosts.push(`${network}.${last}`)
  }
  return hosts
}

export function createSite(seed: string, index: number): Site {
  const random = prng(`traffic/${seed}/site/${index}`)
  const prefix = `10.${20 + index}`
  const office = [
    ...hostsIn(random, `${prefix}.1`, between(random, 18, 34)),
    ...hostsIn(random, `${prefix}.2`, between(random, 8, 26)),
  ]
  const server = (last: number): string => `${prefix}.10.${last}`
  const weight = (): number => Math.exp(0.6 * random.normal())
  return {
    index,
    name: `site-${index + 1}`,
    localNetworks: [`${prefix}.0.0/16`],
    office,
    iot: hostsIn(random, `${prefix}.50`, between(random, 6, 18)),
    servers: {
      directory: server(5),
      dns: server(6),
      files: server(12),
      mail: server(15),
      web: server(20),
      database: server(25),
      backup: server(30),
      monitor: server(40),
      scanner: server(41),
      printer: `${prefix}.50.5`,
      broker: server(50),
    },
    admins: [office[1] as string, office[5] as string],
    mix: {
      browsing: 5 * weight(),
      files: 2 * weight(),
      mail: 1.4 * weight(),
      inbound: 1.8 * weight(),
      administration: 0.5 * weight(),
      database: 0.9 * weight(),
      noise: 0.8 * weight(),
    },
    outside: outside(seed, index),
  }
}

export function pick<T>(random: Prng, items: readonly T[]): T {
  return items[random.below(items.length)] as T
}

/** Hosts are not equally busy: the first are chosen more often than the last. */
export function pickBusy<T>(random: Prng, items: readonly T[]): T {
  return items[Math.floor(items.length * random.uniform() ** 1.7)] as T
}

/** The servers that clients meet. */
export function serverList(site: Site): string[] {
  const { directory, dns, files, mail, web, database, backup } = site.servers
  return [directory, dns, files, mail, web, database, backup]
}

export function localHosts(site: Site): string[] {
  return [...site.office, ...serverList(site), ...site.iot]
}
