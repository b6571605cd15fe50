/** Credential access and lateral movement: into one host, and on to the next. */

import type { Prng } from '../../base/prng.ts'
import { type Flow, flowOf, logNormal, SHAPES, wholeBytes } from './flow.ts'
import { type Campaign, intruder, TECHNIQUES } from './techniques.ts'
import { localHosts, pick, serverList } from './world.ts'

/** T1021.002: from host to host over SMB shares, copying a tool and starting it. Stealthy: a host or two an hour. */
export const lateralMovement: Campaign = (random, site, { start, end, stealthy }) => {
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

/** T1110: guessing passwords. Stealthy: spraying, a try at one of many hosts every minute or two. */
export const bruteForce: Campaign = (random, site, { start, end, stealthy }) => {
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
