/** Command and control, and what it is for: data leaving. */

import type { Prng } from '../../base/prng.ts'
import { type Flow, flowOf, logNormal, SHAPES, wholeBytes } from './flow.ts'
import { type Campaign, TECHNIQUES, victim } from './techniques.ts'
import { pick } from './world.ts'

/** T1071.001: command and control in web traffic. Stealthy: long intervals, half jitter, a popular cloud's address. */
export const beaconing: Campaign = (random, site, { start, end, stealthy }) => {
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

/** T1048: data leaves by web, SSH or name queries. Stealthy: in pieces no bigger than an ordinary upload. */
export const exfiltration: Campaign = (random, site, { start, end, stealthy }) => {
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
