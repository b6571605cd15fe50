import { describe, expect, it } from 'vitest'
import { loadKernels } from '../../../test/kernels.ts'
import { prng } from '../../base/prng.ts'
import { decodeAction } from '../response/blue.ts'
import { createEnvironment } from '../response/environment.ts'
import { compileTopology } from '../response/network.ts'
import { CAGE2 } from '../response/topologies/cage2.ts'
import { withSlots } from '../response/topology.ts'
import { advise } from './advise.ts'
import { policyObservations } from './observer.ts'
import { createPolicy } from './policy.ts'
import { parseSituation, readSituation, type SituationDocument } from './situation.ts'

const network = compileTopology(CAGE2)
const document = (history: unknown[], more: object = {}): SituationDocument =>
  parseSituation({ format: 'entente-response-state-1', topology: 'cage2', history, ...more })

describe('a situation told by a document', () => {
  it('is what the environment shows, step after step, with the same mask', () => {
    const environment = createEnvironment({ topology: CAGE2, red: 'meander', steps: 60 })
    const names = network.hosts.map((host) => host?.name ?? '')
    const [activities, beliefs] = [
      ['none', '', 'scan', 'exploit'],
      ['clean', 'user', 'doubtful', 'system'],
    ]
    for (const seed of ['a', 'b', 'c']) {
      const random = prng(seed)
      let state = environment.start()
      const shown = [environment.observe(state)]
      const history: object[] = [{}]
      for (let step = 0; step < 60; step++) {
        const mask = environment.mask(state)
        const legal = [...mask.keys()].filter((action) => mask[action] === 1)
        const number = legal[random.below(legal.length)] ?? 0
        const turn = environment.step(state, number, random)
        const own = decodeAction(13, number)
        const raw = turn.observation
        const hosts = names.map((name, at) => {
          const bits = (from: number): number => 2 * (raw[4 * at + from] ?? 0) + (raw[4 * at + from + 1] ?? 0)
          // What an analysis found has to be told; everything else follows.
          const told = own?.kind === 'analyse' && own.at === at ? { belief: beliefs?.[bits(2)] } : {}
          return [name, { activity: activities?.[bits(0)], ...told }]
        })
        history.push({
          did: own === undefined || own.kind === 'sleep' ? 'sleep' : `${own.kind} ${names[own.at]}`,
          hosts: Object.fromEntries(hosts) as object,
        })
        shown.push(raw)
        state = turn.state
      }
      const situation = readSituation(document(history), network)
      expect(situation.steps.map(({ raw }) => raw)).toEqual(shown)
      expect(situation.mask).toEqual(environment.mask(state))
    }
  })

  it('is refused with what is wrong in it, and what there is instead', () => {
    const refused = (history: unknown[], more: object = {}) => {
      try {
        readSituation(document(history, more), network)
      } catch (error) {
        return (error as Error).message
      }
      return undefined
    }
    const first = { hosts: {} }
    expect(refused([{ hosts: { printer: {} } }])).toMatch(/no host printer; it has defender, enterprise0/)
    expect(refused([{ did: 'sleep' }])).toMatch(/nothing is done before the first step/)
    expect(refused([first, first])).toMatch(/history.1.did: what was done before it is missing/)
    expect(refused([first, { did: 'reboot user1' }])).toMatch(/not sleep, or one of analyse, decoy, remove, restore/)
    expect(refused([first, { did: 'restore user0' }])).toMatch(/masked: the foothold cannot be restored/)
    expect(refused([first, { did: 'decoy operational0' }])).toMatch(/masked: no decoy fits/)
    const twice = { did: 'decoy enterprise1' }
    expect(refused([first, twice, twice])).toMatch(/masked: all its decoys are placed/)
    expect(refused([{ hosts: { user1: { activity: 'exploded' } } }])).toMatch(/history.0.hosts.user1.activity/)
    expect(refused([first], { unavailable: ['sleep'] })).toMatch(/always possible/)
    expect(refused([first], { colour: 'red' })).toMatch(/state/)
    expect(refused([])).toMatch(/history/)
    expect(refused([first, { did: 'decoy enterprise1' }, { did: 'restore enterprise1' }, twice])).toBeUndefined()
  })
})

describe('advice', () => {
  const kernels = loadKernels()
  const policy = createPolicy(
    { kind: 'policy', observations: policyObservations(13), actions: 53, hidden: [16, 16], slots: 'alike' },
    kernels,
  )
  const environment = createEnvironment({ topology: CAGE2, red: 'b-line', steps: 100, removal: 'standing' })
  const { parameters } = policy.train(policy.initialise('advice'), [environment], {
    iterations: 60,
    episodes: 16,
    epochs: 4,
    batchSize: 400,
    learningRate: 3e-3,
    optimiser: 'adam',
    proximalMu: 0,
    seed: 'advice',
  })
  const quiet = [{}, ...Array.from({ length: 6 }, () => ({ did: 'sleep' }))]
  const exploited = [...quiet, { did: 'sleep', hosts: { enterprise1: { activity: 'exploit' } } }]

  it('calls for the host that was exploited, names it as the reason, and never advises what is masked', () => {
    const advice = advise(policy, parameters, readSituation(document(exploited), network))
    expect(advice).toMatchObject({ action: 'restore', host: 'enterprise1' })
    expect(advice.evidence[0]).toMatchObject({ host: 'enterprise1' })
    expect(advice.evidence[0]?.facts).toContain('exploit seen now')
    expect(advice.evidence[0]?.probabilityWithout).toBeLessThan(advice.probability)
    expect(advice.reason).toMatch(/enterprise1: exploit seen now/)
    const unavailable = document(exploited, { unavailable: ['restore enterprise1'] })
    const other = advise(policy, parameters, readSituation(unavailable, network))
    expect([other, ...other.alternatives]).not.toContainEqual(
      expect.objectContaining({ action: 'restore', host: 'enterprise1' }),
    )
    const total = [advice, ...advice.alternatives].map(({ probability }) => probability)
    expect(total).toEqual(total.toSorted((a, b) => b - a))
    expect(advice.value).toBeLessThan(0)
  })

  it('refuses a network of another size than the policy', () => {
    const larger = compileTopology(withSlots(CAGE2, 14))
    const situation = readSituation(document(quiet), larger)
    expect(() => advise(policy, parameters, situation)).toThrow(/13 slots .* 14 slots/)
  })
})
