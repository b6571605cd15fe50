/** What machines cause by the clock: regular, far-reaching and heavy, as attacks are, and entirely benign. */

import type { Prng } from '../../base/prng.ts'
import { DAY, HOUR } from './background.ts'
import { type Flow, flowOf, SHAPES, type Shape } from './flow.ts'
import { localHosts, pick, serverList, type Site } from './world.ts'

/** A client that calls home: its interval in seconds, with that share of jitter. */
interface Poll {
  readonly source: string
  readonly destination: string
  readonly shape: Shape
  readonly interval: number
  readonly jitter: number
  /** Only between 7 and 19 h. */
  readonly byDay: boolean
}

/** Drawn once a site: telemetry of IoT hosts, agents of office software, clocks. */
export function createPolls(random: Prng, site: Site): Poll[] {
  const polls: Poll[] = []
  for (const source of site.iot) {
    const inside = random.uniform() < 0.5
    const destination = inside ? site.servers.broker : pick(random, site.outside.clouds)
    polls.push({
      source,
      destination,
      shape: SHAPES.mqtt,
      interval: 900 + random.below(2700),
      jitter: 0.02 + random.uniform() * 0.2,
      byDay: false,
    })
    polls.push({
      source,
      destination: pick(random, site.outside.peers),
      shape: SHAPES.ntp,
      interval: 4 * HOUR,
      jitter: 0.1,
      byDay: false,
    })
  }
  for (const source of site.office) {
    if (random.uniform() < 0.4) continue
    // Update checkers and chat clients: to their vendor's cloud, small and even, as a beacon is.
    const destination = random.uniform() < 0.6 ? pick(random, site.outside.clouds) : site.outside.popular(random)
    const jitter = random.uniform() < 0.5 ? 0.02 : 0.3
    polls.push({
      source,
      destination,
      shape: SHAPES.https,
      interval: 600 + random.below(3000),
      jitter,
      byDay: random.uniform() < 0.8,
    })
  }
  return polls
}

function pollsOfDay(random: Prng, polls: readonly Poll[], start: number): Flow[] {
  const flows: Flow[] = []
  for (const poll of polls) {
    const end = start + (poll.byDay ? 19 * HOUR : DAY)
    let time = start + (poll.byDay ? 7 * HOUR + random.uniform() * 2 * HOUR : 0) + random.uniform() * poll.interval
    for (; time < end; time += poll.interval * (1 + poll.jitter * (2 * random.uniform() - 1))) {
      flows.push(flowOf(random, time, poll.source, poll.destination, poll.shape, { out: 0.6, in: 0.4 }))
    }
  }
  return flows
}

/** Every three hours the monitor asks every server and some hosts whether they live. */
function monitoring(random: Prng, site: Site, start: number): Flow[] {
  const flows: Flow[] = []
  for (let round = start; round < start + DAY; round += 3 * HOUR) {
    for (const [i, host] of [...serverList(site), ...site.iot].entries()) {
      flows.push(
        flowOf(
          random,
          round + i * 0.4 + random.uniform(),
          site.servers.monitor,
          host,
          random.uniform() < 0.7 ? SHAPES.snmp : SHAPES.https,
        ),
      )
    }
  }
  return flows
}

/** Twice a week the licensed scanner tries the common ports of part of the network. */
function vulnerabilityScan(random: Prng, site: Site, start: number): Flow[] {
  const flows: Flow[] = []
  let time = start + 22 * HOUR + random.uniform() * HOUR
  const hosts = localHosts(site).filter(() => random.uniform() < 0.5)
  for (const host of hosts) {
    for (const port of [22, 80, 135, 443, 445, 3389, 8080]) {
      if (random.uniform() < 0.4) continue
      flows.push(
        flowOf(random, time, site.servers.scanner, host, SHAPES.http, { port, failures: 0.65, out: 0.3, in: 0.3 }),
      )
      time += 0.2 + random.uniform() * 3
    }
  }
  return flows
}

/** Each night every server and some hosts go to the backup server, and that to a cloud. */
function backups(random: Prng, site: Site, start: number): Flow[] {
  const flows: Flow[] = []
  let time = start + HOUR + random.uniform() * HOUR
  for (const host of [...serverList(site), ...site.office.filter(() => random.uniform() < 0.3)]) {
    if (host === site.servers.backup) continue
    flows.push(flowOf(random, time, host, site.servers.backup, SHAPES.smb, { out: 3000, in: 0.2 }))
    time += 30 + random.uniform() * 300
  }
  for (let parts = 3 + random.below(6); parts > 0; parts--) {
    flows.push(
      flowOf(random, time, site.servers.backup, site.outside.clouds[0] as string, SHAPES.https, { out: 50_000 }),
    )
    time += 100 + random.uniform() * 400
  }
  return flows
}

/** Updates: every office host within two hours, from the same few clouds. */
function updates(random: Prng, site: Site, start: number): Flow[] {
  const flows: Flow[] = []
  for (const host of site.office) {
    if (random.uniform() < 0.3) continue
    let time = start + 11 * HOUR + random.uniform() * 2 * HOUR
    for (let parts = 1 + random.below(4); parts > 0; parts--) {
      flows.push(flowOf(random, time, host, pick(random, site.outside.clouds), SHAPES.https, { in: 300 }))
      time += random.uniform() * 20
    }
  }
  return flows
}

/** All routine traffic of the day that begins at `start`; `day` 0 = Monday. */
export function routinesOfDay(random: Prng, site: Site, polls: readonly Poll[], start: number, day: number): Flow[] {
  return [
    ...pollsOfDay(random, polls, start),
    ...monitoring(random, site, start),
    ...(day % 7 === 1 + (site.index % 3) || day % 7 === 4 ? vulnerabilityScan(random, site, start) : []),
    ...backups(random, site, start),
    ...(day % 7 === 2 ? updates(random, site, start) : []),
  ]
}
