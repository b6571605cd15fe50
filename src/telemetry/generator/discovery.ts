/** Discovery: looking for what is there. */

import type { Prng } from '../../base/prng.ts'
import { ephemeral, failedState, type Flow, logNormal, wholeBytes } from './flow.ts'
import { type Campaign, intruder, TECHNIQUES } from './techniques.ts'
import { localHosts, pick, serverList } from './world.ts'

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
export const scanning: Campaign = (random, site, { start, end, stealthy }) => {
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
