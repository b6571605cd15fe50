import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EntenteError } from '../../base/errors.ts'
import { prng } from '../../base/prng.ts'
import { EXPLOITS } from './catalogue.ts'
import { createEnvironment } from './environment.ts'
import { blueAgent } from './blue-agents.ts'
import { playEpisodes } from './evaluate.ts'
import { compileTopology } from './network.ts'
import { CAGE2, CAGE2_REPAIRED } from './topologies/cage2.ts'
import { drawTopology } from './topologies/drawn.ts'
import { type Host, type Topology, withSlots } from './topology.ts'

const posesAt = (topology: Topology, at: number): string[] =>
  (compileTopology(topology).decoys[at] ?? []).map(({ decoy, pose }) => `${decoy}:${EXPLOITS[Math.log2(pose)]}`)

const changed = (name: string, change: Partial<Host>): Topology => ({
  ...CAGE2,
  slots: CAGE2.slots.map((host) => (host?.name === name ? { ...host, ...change } : host)),
})

describe('a topology', () => {
  it('of the challenge has 13 hosts, 3 subnets, and user0 as the foothold', () => {
    const network = compileTopology(CAGE2)
    expect(network.members.map((slots) => slots.length)).toEqual([4, 4, 5])
    expect([network.slots, network.foothold, network.target]).toEqual([13, 8, 7])
  })

  it('gives each decoy an exploit that nothing on its host answers yet', () => {
    expect(posesAt(CAGE2, 7)).toEqual([
      'haraka:haraka-rce',
      'apache:sql-injection',
      'tomcat:https-rfi',
      'vsftpd:http-rfi',
    ])
    expect(posesAt(CAGE2_REPAIRED, 7).at(-1)).toBe('vsftpd:ftp-traversal')
    // Everything that the published Vsftpd could pose for runs on user4.
    expect(posesAt(CAGE2, 12)).toEqual([])
  })

  const wrong: [string, Topology][] = [
    ['with a link to a host that is not there', changed('user1', { reveals: ['nowhere'] })],
    ['with two hosts of one name', changed('user1', { name: 'user2' })],
    ['with a host in a subnet that is not there', changed('user1', { subnet: 'moon' })],
    ['without a foothold', changed('user0', { role: 'fortress' })],
    ['with two footholds', changed('user1', { role: 'foothold' })],
    ['with a negative loss', changed('user1', { confidentialityLoss: -1 })],
    ['with a loss that is not finite', changed('user1', { confidentialityLoss: Infinity })],
    ['with an impact away from the target', changed('user1', { availabilityLoss: 10 })],
    ['with a dead service that does not run', changed('user1', { deadServices: ['haraka-rce'] })],
    ['with a decoy named twice', changed('user1', { decoys: ['smss', 'smss'] })],
    ['without hosts', { ...CAGE2, slots: [] }],
    ['with a path over a host that is not there', { ...CAGE2, path: [{ take: 'nowhere' }] }],
  ]
  it.each(wrong)('%s is refused', (_, topology) => {
    expect(() => compileTopology(topology)).toThrow(EntenteError)
  })

  it('refuses lengths that are no length', () => {
    for (const steps of [0, -1, 1.5, NaN, 1e9])
      expect(() => createEnvironment({ topology: CAGE2, red: 'sleep', steps })).toThrow(EntenteError)
  })

  it('goes the same way with empty slots at the end, and does not fit into fewer', () => {
    const total = (topology: Topology): number => {
      const environment = createEnvironment({ topology, red: 'meander', steps: 50 })
      return playEpisodes(environment, () => blueAgent('react-restore', environment), 20, 'slots').mean
    }
    expect(total(withSlots(CAGE2, 20))).toBe(total(CAGE2))
    expect(() => withSlots(CAGE2, 12)).toThrow(EntenteError)
  })
})

describe('a drawn topology', () => {
  it('is sound, has the sizes of the challenge, and lets B-line reach its target', () => {
    fc.assert(
      fc.property(fc.string(), (seed) => {
        const topology = drawTopology('drawn', prng(seed))
        expect(drawTopology('drawn', prng(seed))).toEqual(topology)
        const environment = createEnvironment({ topology, red: 'b-line', steps: 30 })
        expect([environment.actionCount, environment.observationSize]).toEqual([53, 78])
        const { mean } = playEpisodes(environment, () => blueAgent('sleep', environment), 3, seed)
        expect(mean).toBeLessThan(-100)
      }),
      { numRuns: 50 },
    )
  })

  it('differs from seed to seed', () => {
    const drawn = Array.from({ length: 30 }, (_, i) => JSON.stringify(drawTopology('drawn', prng(`${i}`))))
    expect(new Set(drawn).size).toBeGreaterThan(25)
  })
})
