/**
 * Attack campaigns, by ATT&CK technique (Enterprise v18). Each comes loud or stealthy; the stealthy form spreads over
 * hours and stays within what single counters of the background reach. Parameters are drawn anew for every campaign, so
 * that no two share an address, a port list or a pace.
 */

import type { Prng } from '../../base/prng.ts'
import { HOUR } from './background.ts'
import { ephemeral, failedState, type Flow, flowOf, logNormal, SHAPES, wholeBytes } from './flow.ts'
import { localHosts, pick, serverList, type Site } from './world.ts'

export const TECHNIQUES = {
  scanning: 'T1046',
  beaconing: 'T1071.001',
  lateralMovement: 'T1021.002',
  exfiltration: 'T1048',
  bruteForce: 'T1110',
  flood: 'T1498',
} as const
export type Technique = (typeof TECHNIQUES)[keyof typeof TECHNIQUES]
export const ALL_TECHNIQUES: readonly Technique[] = Object.values(TECHNIQUES)

export interface CampaignOptions {
  readonly start: number
  /** No flow of the campaign begins after this. */
  readonly end: number
  readonly stealthy: boolean
}

type Campaign = (random: Prng, site: Site, options: CampaignOptions) => Flow[]

/** A host of the site that somebody has taken over. */
const victim = (random: Prng, site: Site): string => pick(random, site.office)

/** Who attacks other hosts of the site: one of its own, unless it has no other. */
const intruder = (random: Prng, site: Site): string =>
  site.office.length > 1 ? victim(random, site) : site.outside.stranger(random)

/** An address near a known one, most likely unused. */
function neighbour(random: Prng, known: string): string {
  return known.includes(':') ? known : `${known.slice(0, known.lastIndexOf('.'))}.${1 + random.below(254)}`
}

const SCAN_PORTS: readonly number[] = [
  21, 22, 23, 80, 135, 139, 443, 445, 1433, 3306, 3389, 5432, 5900, 5985, 8080, 8443, 9200,
]

function probe(random: Prng, time: number, source: string, destination: string, port: number, open: number): Flow {
  const answered = random.uniform() < open
  const state = answered ? pick(random, ['SF', 'RSTO', 'S1']) : failedState(random, 'tcp', 0.6)
  const sourceBytes = answered ? wholeBytes(logNormal(random, [120, 1.2])) : 0
  const destinationBytes = answered ? wholeBytes(logNormal(random, [300, 1.5])) : 0
  const duration = answered ? logNormal(random, [0.2, 1.2]) : 0
  const rest = {
    protocol: 'tcp',
    service: '',
    duration,
    sourceBytes,
    destinationBytes,
    state,
    technique: TECHNIQUES.scanning,
  } as const
  return { time, source, sourcePort: ephemeral(random), destination, destinationPort: port, ...rest }
}

/** T1046: an intruded host, or one outside, looks for open services. Stealthy: few ports, a probe every minute or so. */
const scanning: Campaign = (random, site, { start, end, stealthy }) => {
  const inside = stealthy || random.uniform() < 0.6
  const source = inside ? intruder(random, site) : site.outside.stranger(random)
  const hosts = inside ? localHosts(site) : serverList(site)
  const ports = Array.from({ length: stealthy ? 1 + random.below(3) : 3 + random.below(9) }, () =>
    pick(random, SCAN_PORTS),
  )
  const pace = stealthy ? 25 + random.uniform() * 120 : 0.1 + random.uniform() * 1.5
  const flows: Flow[] = []
  let time = start
  for (let left = stealthy ? 40 + random.below(60) : 120 + random.below(200); left > 0 && time < end; left--) {
    // A scanner does not know which addresses are in use: a third of its guesses are not.
    const known = pick(random, hosts)
    const target = random.uniform() < 0.33 ? neighbour(random, known) : known
    flows.push(probe(random, time, source, target, pick(random, ports), stealthy ? 0.35 : 0.2))
    time += pace * (0.3 + 1.4 * random.uniform())
  }
  return flows
}

/** T1071.001: command and control in web traffic. Stealthy: long intervals, half jitter, a popular cloud's address. */
const beaconing: Campaign = (random, site, { start, end, stealthy }) => {
  const source = victim(random, site)
  const server = stealthy && random.uniform() < 0.5 ? site.outside.popular(random) : site.outside.stranger(random)
  const interval = stealthy ? 400 + random.uniform() * 1400 : 45 + random.uniform() * 150
  const jitter = stealthy ? 0.25 + random.uniform() * 0.25 : 0.02 + random.uniform() * 0.15
  const shape = random.uniform() < 0.75 ? SHAPES.https : SHAPES.http
  const flows: Flow[] = []
  let time = start
  for (let left = stealthy ? 30 + random.below(50) : 80 + random.below(120); left > 0 && time < end; left--) {
    const tasked = random.uniform() < 0.05
    flows.push({
      ...flowOf(random, time, source, server, shape, { technique: TECHNIQUES.beaconing }),
      ...beaconBytes(random, tasked),
    })
    time += interval * (1 + jitter * (2 * random.uniform() - 1))
  }
  return flows
}

function beaconBytes(
  random: Prng,
  tasked: boolean,
): Pick<Flow, 'duration' | 'sourceBytes' | 'destinationBytes' | 'state'> {
  return {
    duration: logNormal(random, [0.6, 0.6]),
    sourceBytes: wholeBytes(logNormal(random, [tasked ? 9000 : 700, 0.35])),
    destinationBytes: wholeBytes(logNormal(random, [tasked ? 60_000 : 900, 0.5])),
    state: 'SF',
  }
}

/** T1021.002: from host to host over SMB shares, copying a tool and starting it. Stealthy: a host or two an hour. */
const lateralMovement: Campaign = (random, site, { start, end, stealthy }) => {
  const reached = [intruder(random, site)]
  const flows: Flow[] = []
  let time = start
  for (let hops = stealthy ? 5 + random.below(6) : 10 + random.below(12); hops > 0 && time < end; hops--) {
    const source = pick(random, reached)
    const target = random.uniform() < 0.75 ? pick(random, site.office) : pick(random, serverList(site))
    if (target === source) continue
    flows.push(...intrusion(random, time, source, target))
    if (random.uniform() < 0.7) reached.push(target)
    time += stealthy ? 600 + random.uniform() * 3600 : 8 + random.uniform() * 80
  }
  return flows
}

function intrusion(random: Prng, start: number, source: string, target: string): Flow[] {
  const technique = TECHNIQUES.lateralMovement
  const flows: Flow[] = []
  let time = start
  for (let tries = random.below(3); tries > 0; tries--) {
    flows.push(flowOf(random, time, source, target, SHAPES.smb, { technique, failures: 0.3, out: 0.1, in: 0.1 }))
    time += 1 + random.uniform() * 10
  }
  if (random.uniform() < 0.6) flows.push(flowOf(random, time, source, target, SHAPES.rpc, { technique, failures: 0 }))
  flows.push(flowOf(random, time + 0.4, source, target, SHAPES.smb, { technique, failures: 0.05, out: 25, in: 0.3 }))
  for (let commands = 1 + random.below(4); commands > 0; commands--) {
    time += 5 + random.uniform() * 60
    flows.push(flowOf(random, time, source, target, SHAPES.smb, { technique, failures: 0, out: 0.4, in: 0.5 }))
  }
  return flows
}

/** T1048: data leaves by web, SSH or name queries. Stealthy: in pieces no bigger than an ordinary upload. */
const exfiltration: Campaign = (random, site, { start, end, stealthy }) => {
  const source =
    random.uniform() < 0.6 ? victim(random, site) : pick(random, [site.servers.files, site.servers.database])
  const drop = site.outside.stranger(random)
  const shape = pick(random, [SHAPES.https, SHAPES.https, SHAPES.ssh, SHAPES.dns])
  const technique = TECHNIQUES.exfiltration
  const names = shape === SHAPES.dns
  const out = names ? 3 + random.uniform() * 2 : stealthy ? 30 + random.uniform() * 120 : 1500 + random.uniform() * 8000
  const pace = (names ? 0.15 : 1) * (stealthy ? 150 + random.uniform() * 500 : 8 + random.uniform() * 40)
  const flows: Flow[] = []
  let time = start
  for (
    let left = (names ? 3 : 1) * (stealthy ? 15 + random.below(30) : 20 + random.below(40));
    left > 0 && time < end;
    left--
  ) {
    flows.push(flowOf(random, time, source, drop, shape, { technique, out, in: names ? 1 : 0.15, failures: 0.02 }))
    time += pace * (0.3 + 1.4 * random.uniform())
  }
  return flows
}

/** T1110: guessing passwords. Stealthy: spraying, a try at one of many hosts every minute or two. */
const bruteForce: Campaign = (random, site, { start, end, stealthy }) => {
  const source = stealthy || random.uniform() < 0.4 ? intruder(random, site) : site.outside.stranger(random)
  const shape = pick(random, [SHAPES.ssh, SHAPES.rdp, SHAPES.imap, SHAPES.smb])
  const hosts = (stealthy ? localHosts(site) : serverList(site)).filter((host) => host !== source)
  const targets = Array.from({ length: stealthy ? 4 + random.below(8) : 1 }, () => pick(random, hosts))
  const pace = stealthy ? 30 + random.uniform() * 90 : 0.5 + random.uniform() * 4
  const flows: Flow[] = []
  let time = start
  for (let left = stealthy ? 40 + random.below(60) : 120 + random.below(180); left > 0 && time < end; left--) {
    const flow = flowOf(random, time, source, pick(random, targets), shape, {
      technique: TECHNIQUES.bruteForce,
      failures: 0.12,
    })
    flows.push(flow.state === 'SF' || flow.state === 'RSTO' ? { ...flow, ...refusedLogin(random) } : flow)
    time += pace * (0.4 + 1.2 * random.uniform())
  }
  return flows
}

function refusedLogin(random: Prng): Pick<Flow, 'duration' | 'sourceBytes' | 'destinationBytes'> {
  return {
    duration: logNormal(random, [2.2, 0.5]),
    sourceBytes: wholeBytes(logNormal(random, [1500, 0.3])),
    destinationBytes: wholeBytes(logNormal(random, [1900, 0.3])),
  }
}

/** T1498: a server is drowned, from one source or from forged ones. Never stealthy, by its nature. */
const flood: Campaign = (random, site, { start, end }) => {
  const target = random.uniform() < 0.7 ? site.servers.web : site.servers.mail
  const forged = random.uniform() < 0.5
  const sources = Array.from({ length: forged ? 400 : 1 + random.below(12) }, () => site.outside.stranger(random))
  const udp = random.uniform() < 0.3
  const port = udp ? 53 + random.below(60_000) : pick(random, [80, 443, 25])
  const flows: Flow[] = []
  let time = start
  for (let left = 700 + random.below(800); left > 0 && time < end; left--) {
    const rest = {
      protocol: udp ? 'udp' : 'tcp',
      service: '',
      duration: 0,
      destinationBytes: 0,
      technique: TECHNIQUES.flood,
    } as const
    const sourceBytes = udp ? 512 + random.below(900) : 0
    const ends = {
      source: pick(random, sources),
      sourcePort: ephemeral(random),
      destination: target,
      destinationPort: port,
    }
    flows.push({ time, ...ends, ...rest, sourceBytes, state: udp || random.uniform() < 0.8 ? 'S0' : 'RSTOS0' })
    time += 0.3 * random.uniform()
  }
  return flows
}

const CAMPAIGNS: Readonly<Record<Technique, Campaign>> = {
  [TECHNIQUES.scanning]: scanning,
  [TECHNIQUES.beaconing]: beaconing,
  [TECHNIQUES.lateralMovement]: lateralMovement,
  [TECHNIQUES.exfiltration]: exfiltration,
  [TECHNIQUES.bruteForce]: bruteForce,
  [TECHNIQUES.flood]: flood,
}

/** Hours that a campaign may last. */
export const CAMPAIGN_HOURS_MAX = 12

export function campaignFlows(random: Prng, site: Site, technique: Technique, options: CampaignOptions): Flow[] {
  const end = Math.min(options.end, options.start + CAMPAIGN_HOURS_MAX * HOUR)
  return CAMPAIGNS[technique](random, site, { ...options, end }).filter((flow) => flow.time < end)
}
