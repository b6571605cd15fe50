/** What people cause: sessions, each a burst of related connections, more by day than by night. */

import type { Prng } from '../../base/prng.ts'
import { type Flow, flowOf, SHAPES } from './flow.ts'
import { localHosts, pick, pickBusy, serverList, type Mix, type Site } from './world.ts'

export const HOUR = 3600
export const DAY = 86_400

/** Relative load of an hour of the working week, hour 0 = Monday 00:00 UTC. */
export function loadOfHour(hour: number): number {
  const day = Math.floor(hour / 24) % 7
  const clock = hour % 24
  const work = Math.exp(-((clock - 10.5) ** 2) / 6) + 0.9 * Math.exp(-((clock - 15) ** 2) / 7)
  return 0.08 + (day >= 5 ? 0.15 : 1) * work
}

type Session = (random: Prng, site: Site, time: number) => Flow[]

/** A page: names are looked up, then many peers are asked for its parts. */
const browsing: Session = (random, site, start) => {
  const host = pickBusy(random, site.office)
  const flows: Flow[] = []
  let time = start
  for (let pages = 1 + random.below(4); pages > 0; pages--) {
    for (let parts = 1 + random.below(7); parts > 0; parts--) {
      if (random.uniform() < 0.3) flows.push(flowOf(random, time, host, site.servers.dns, SHAPES.dns))
      const shape = random.uniform() < 0.12 ? SHAPES.http : random.uniform() < 0.2 ? SHAPES.quic : SHAPES.https
      // Now and then somebody sends a film or a disk image: an upload is no proof of theft.
      const upload = random.uniform() < 0.015 ? 400 : 1
      flows.push(flowOf(random, time + 0.05, host, site.outside.popular(random), shape, { out: upload }))
      time += random.uniform() * 3
    }
    time += 20 * random.uniform() * 10
  }
  return flows
}

const fileWork: Session = (random, site, start) => {
  const host = pickBusy(random, site.office)
  const flows = [flowOf(random, start, host, site.servers.directory, SHAPES.kerberos)]
  // Colleagues share folders with each other: SMB between office hosts is unusual, not suspicious.
  const target = random.uniform() < 0.08 ? pick(random, site.office) : site.servers.files
  let time = start + 0.3
  for (let files = 1 + random.below(5); files > 0; files--) {
    if (random.uniform() < 0.2) flows.push(flowOf(random, time, host, site.servers.directory, SHAPES.ldap))
    flows.push(flowOf(random, time, host, target, SHAPES.smb))
    time += 60 * random.uniform() * random.uniform() * 10
  }
  if (random.uniform() < 0.15) flows.push(flowOf(random, time, host, site.servers.printer, SHAPES.printing))
  return flows
}

const mailing: Session = (random, site, start) => {
  const host = pickBusy(random, site.office)
  const flows = [flowOf(random, start, host, site.servers.mail, SHAPES.imap)]
  if (random.uniform() < 0.4) {
    flows.push(flowOf(random, start + 5, host, site.servers.mail, SHAPES.smtp, { port: 587 }))
    flows.push(flowOf(random, start + 6, site.servers.mail, site.outside.popular(random), SHAPES.smtp))
  }
  return flows
}

/** Customers at the web server, mail from outside, and a wrong password here and there. */
const inbound: Session = (random, site, start) => {
  const peer = random.uniform() < 0.5 ? site.outside.popular(random) : site.outside.stranger(random)
  if (random.uniform() < 0.3) return [flowOf(random, start, peer, site.servers.mail, SHAPES.smtp)]
  const flows: Flow[] = []
  for (let visits = 1 + random.below(8), time = start; visits > 0; visits--) {
    flows.push(flowOf(random, time, peer, site.servers.web, SHAPES.https))
    time += random.uniform() * 12
  }
  if (random.uniform() < 0.3) flows.push(flowOf(random, start + 1, site.servers.web, site.servers.database, SHAPES.sql))
  return flows
}

/** Administrators reach many hosts in a row, by the very protocols that intruders use. */
const administration: Session = (random, site, start) => {
  const admin = pick(random, site.admins)
  const flows: Flow[] = []
  const shape = pick(random, [SHAPES.ssh, SHAPES.rdp, SHAPES.smb, SHAPES.ssh])
  const targets = shape === SHAPES.ssh ? serverList(site) : localHosts(site).slice(0, site.office.length + 5)
  let time = start
  for (let hosts = 1 + random.below(7); hosts > 0; hosts--) {
    const target = pick(random, targets)
    // Mistyped passwords: two or three short connections before the one that stays.
    for (let tries = random.uniform() < 0.2 ? 1 + random.below(3) : 0; tries > 0; tries--) {
      flows.push(flowOf(random, time, admin, target, shape, { out: 0.2, in: 0.1 }))
      time += 4 + random.uniform() * 8
    }
    if (shape === SHAPES.smb) flows.push(flowOf(random, time, admin, target, SHAPES.rpc))
    flows.push(flowOf(random, time + 0.5, admin, target, shape))
    time += 20 + random.uniform() * 200
  }
  return flows
}

const database: Session = (random, site, start) => {
  const client = random.uniform() < 0.7 ? site.servers.web : pick(random, site.admins)
  return Array.from({ length: 1 + random.below(4) }, (_, i) =>
    flowOf(random, start + 2 * i, client, site.servers.database, SHAPES.sql),
  )
}

/** What every network is full of: stale names, hosts switched off, multicast, pings, and the internet's own noise. */
const noise: Session = (random, site, start) => {
  const host = pick(random, [...site.office, ...site.iot])
  const kind = random.below(5)
  if (kind === 0) return [flowOf(random, start, host, '224.0.0.251', SHAPES.discovery)]
  if (kind === 1) {
    const gone = `${host.slice(0, host.lastIndexOf('.'))}.${200 + random.below(40)}`
    return Array.from({ length: 1 + random.below(3) }, (_, i) =>
      flowOf(random, start + 3 * i, host, gone, SHAPES.smb, { failures: 1 }),
    )
  }
  if (kind === 2) return [flowOf(random, start, host, site.outside.popular(random), SHAPES.https, { failures: 1 })]
  if (kind === 3) return [flowOf(random, start, host, site.outside.resolvers[0] as string, SHAPES.dns)]
  const port = pick(random, [22, 23, 445, 3389, 8080, 5900])
  return [
    flowOf(
      random,
      start,
      site.outside.stranger(random),
      pick(random, [site.servers.web, site.servers.mail]),
      SHAPES.https,
      { failures: 0.95, port },
    ),
  ]
}

const SESSIONS: readonly (readonly [keyof Mix, Session, number])[] = [
  ['browsing', browsing, 13],
  ['files', fileWork, 5],
  ['mail', mailing, 1.8],
  ['inbound', inbound, 3.8],
  ['administration', administration, 6],
  ['database', database, 2.5],
  ['noise', noise, 1.3],
]

/** Connections that a session brings on average, at this site. */
export function sessionSize(site: Site): number {
  const total = SESSIONS.reduce((sum, [name]) => sum + site.mix[name], 0)
  return SESSIONS.reduce((sum, [name, , size]) => sum + (site.mix[name] / total) * size, 0)
}

function pickSession(random: Prng, mix: Mix): Session {
  let at = random.uniform() * SESSIONS.reduce((sum, [name]) => sum + mix[name], 0)
  for (const [name, session] of SESSIONS) {
    at -= mix[name]
    if (at < 0) return session
  }
  return browsing
}

/** The sessions that begin in one hour. */
export function sessionsOfHour(random: Prng, site: Site, start: number, sessions: number): Flow[] {
  const flows: Flow[] = []
  const count = Math.floor(sessions + random.uniform())
  for (let i = 0; i < count; i++)
    flows.push(...pickSession(random, site.mix)(random, site, start + random.uniform() * HOUR))
  return flows
}
