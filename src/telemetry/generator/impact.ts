/** Impact: a service made unusable. */

import { ephemeral, type Flow } from './flow.ts'
import { type Campaign, TECHNIQUES } from './techniques.ts'
import { pick } from './world.ts'

/** T1498: a server is drowned, from one source or from forged ones. Never stealthy, by its nature. */
export const flood: Campaign = (random, site, { start, end }) => {
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
