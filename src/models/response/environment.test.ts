import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EntenteError } from '../../base/errors.ts'
import { type Prng, prng } from '../../base/prng.ts'
import { actionCount, decodeAction, encodeAction } from './blue.ts'
import { blueAgent, CAGE2_DECOY_ORDER } from './blue-agents.ts'
import { createEnvironment, type Environment } from './environment.ts'
import { isLegal } from './red.ts'
import { RED_AGENTS } from './red-agents.ts'
import { playEpisodes } from './evaluate.ts'
import { type Batch, NONE, PRIVILEGED, SCANNED, USER } from './state.ts'
import { CAGE2, CAGE2_REPAIRED } from './topologies/cage2.ts'
import { drawTopology } from './topologies/drawn.ts'
import type { Topology } from './topology.ts'

const EPISODES = 60

/** Any topology, attacker, length and seed. */
const game = fc
  .record({
    seed: fc.string({ maxLength: 8 }),
    red: fc.constantFrom(...RED_AGENTS),
    steps: fc.constantFrom(30, 50, 100),
    kind: fc.constantFrom('cage2', 'repaired', 'drawn'),
  })
  .map(({ seed, red, steps, kind }) => {
    const drawn = drawTopology('drawn', prng(`topology/${seed}`))
    const topology = kind === 'cage2' ? CAGE2 : kind === 'repaired' ? CAGE2_REPAIRED : drawn
    return { seed, topology, environment: createEnvironment({ topology, red, steps }) }
  })

interface Turn {
  readonly before: Batch
  readonly action: number
  readonly after: Batch
  readonly observation: Float32Array
  readonly reward: number
  readonly done: boolean
}

/** Plays an episode with random legal actions. */
function* turns(environment: Environment, seed: string): Generator<Turn> {
  const random = prng(seed)
  const blue = blueAgent('random', environment)
  let before = environment.start()
  for (let i = 0; i < environment.steps; i++) {
    const action = blue.act(environment.observe(before), environment.mask(before), random)
    const { state: after, ...rest } = environment.step(before, action, random)
    yield { before, action, after, ...rest }
    before = after
  }
}

const everyTurn = (claim: (environment: Environment, turn: Turn, topology: Topology) => void): void =>
  fc.assert(
    fc.property(game, ({ seed, environment, topology }) => {
      for (const turn of turns(environment, seed)) claim(environment, turn, topology)
    }),
    { numRuns: EPISODES },
  )

const codeOf = (act: () => unknown): string | undefined => {
  try {
    act()
  } catch (error) {
    return error instanceof EntenteError ? error.code : 'another error'
  }
  return undefined
}

describe('the network-defence game', () => {
  it('has 53 actions and 52 bits, 13 scan and 13 decoy counts in the network of the challenge', () => {
    const environment = createEnvironment({ topology: CAGE2, red: 'b-line', steps: 100 })
    expect(environment.actionCount).toBe(53)
    expect(environment.observationSize).toBe(52 + 13 + 13)
    expect([...environment.observe(environment.start()).subarray(0, 65)]).toEqual(Array(65).fill(0))
  })

  it('gives rewards between the sum of all losses with a restore, and nothing', () => {
    everyTurn(({ network }, { reward }) => {
      const losses = [...network.confidentialityLoss, ...network.availabilityLoss].reduce((sum, loss) => sum + loss, 1)
      expect(reward).toBeLessThanOrEqual(0)
      expect(reward).toBeGreaterThanOrEqual(-losses - 1e-9)
    })
  })

  it('refuses every masked action and takes every other', () => {
    fc.assert(
      fc.property(game, ({ seed, environment }) => {
        for (const { before } of turns(environment, seed)) {
          if ((before.steps[0] ?? 0) % 10 !== 0) continue
          environment.mask(before).forEach((legal, action) => {
            const code = codeOf(() => environment.step(before, action, prng('any')))
            expect(code).toBe(legal === 1 ? undefined : 'invalid-request')
          })
        }
      }),
      { numRuns: 15 },
    )
  })

  it('refuses numbers that are no action, and steps after the end', () => {
    const environment = createEnvironment({ topology: CAGE2, red: 'sleep', steps: 1 })
    const state = environment.start()
    for (const action of [-1, 0.5, 53, NaN]) {
      expect(codeOf(() => environment.step(state, action, prng('any')))).toBe('invalid-request')
    }
    const last = environment.step(state, 0, prng('any'))
    expect(last.done).toBe(true)
    expect(codeOf(() => environment.step(last.state, 0, prng('any')))).toBe('invalid-request')
  })

  it('plays the same episode from the same seed, and leaves the state that it was given as it was', () => {
    fc.assert(
      fc.property(game, ({ seed, environment }) => {
        const start = structuredClone(environment.start())
        const once = [...turns(environment, seed)]
        expect([...turns(environment, seed)]).toEqual(once)
        expect(once[0]?.before).toEqual(start)
        once.slice(1).forEach((turn, i) => expect(turn.before).toBe(once[i]?.after))
      }),
      { numRuns: 20 },
    )
  })

  it('plays an episode in a batch as it plays it alone', () => {
    fc.assert(
      fc.property(game, ({ seed, environment }) => {
        const seeds = [0, 1, 2].map((row) => `${seed}/${row}`)
        const alone = seeds.map((one) => [...turns(environment, one)])
        expect(playTogether(environment, seeds)).toEqual(alone.map((episode) => episode.map(({ reward }) => reward)))
      }),
      { numRuns: 20 },
    )
  })

  it('changes nothing in a batch when one action is illegal or a length is wrong', () => {
    const environment = createEnvironment({ topology: CAGE2, red: 'b-line', steps: 30 })
    const batch = environment.start(2)
    const before = structuredClone(batch)
    const randoms = [prng('a'), prng('b')]
    const restoreFoothold = encodeAction(13, 'restore', 8)
    const step = (actions: number[], streams: Prng[], numbers: number): void =>
      environment.stepAll(batch, actions, streams, new Float64Array(2), new Float32Array(numbers))
    expect(codeOf(() => step([0, restoreFoothold], randoms, 156))).toBe('invalid-request')
    expect(codeOf(() => step([0], randoms, 156))).toBe('invalid-request')
    expect(codeOf(() => step([0, 0], randoms.slice(1), 156))).toBe('invalid-request')
    expect(codeOf(() => step([0, 0], randoms, 155))).toBe('invalid-request')
    expect(batch).toEqual(before)
  })

  it('lets red gain a host only over a route from one that it held', () => {
    everyTurn((_, { before, after }, topology) => {
      after.access.forEach((access, at) => {
        if (access === NONE || before.access[at] !== NONE) return
        expect(before.knowledge[at]).toBe(SCANNED)
        const subnet = topology.slots[at]?.subnet ?? ''
        const accepted = topology.subnets.find(({ name }) => name === subnet)?.acceptsFrom ?? []
        const held = topology.slots.filter((_, slot) => before.access[slot] !== NONE).map((host) => host?.subnet ?? '')
        expect(held.some((from) => from === subnet || accepted.includes(from))).toBe(true)
      })
    })
  })

  it('does not let red into the operational subnet from the user subnet, whatever it knows', () => {
    const { network, start } = createEnvironment({ topology: CAGE2, red: 'meander', steps: 100 })
    const state = start()
    state.knowledge.fill(SCANNED)
    const open = (at: number): boolean => isLegal(network, state, 0, { kind: 'exploit', at })
    expect([3, 7, 12].map(open)).toEqual([true, false, true])
    state.access[3] = PRIVILEGED
    expect(open(7)).toBe(true)
  })

  it('never lets red take a fortress or lose its foothold', () => {
    everyTurn(({ network }, { after }) => {
      expect(after.access[network.foothold]).toBe(PRIVILEGED)
      network.hosts.forEach((host, at) => {
        if (host === null || host.role === 'fortress') expect(after.access[at]).toBe(NONE)
      })
    })
  })

  it('clears a restored host of red, impact and decoys, unless red exploits it anew in the very step', () => {
    everyTurn((environment, { before, action, after }) => {
      const blue = decodeAction(environment.network.slots, action)
      if (blue?.kind !== 'restore') return
      expect(after.access[blue.at]).not.toBe(PRIVILEGED)
      if (before.access[blue.at] !== NONE) expect(after.access[blue.at]).toBe(NONE)
      expect([after.impacted[blue.at], after.posing[blue.at], after.decoysUsed[blue.at]]).toEqual([0, 0, 0])
    })
  })

  it('removes shells of users and leaves those of the system', () => {
    everyTurn((environment, { before, action, after }) => {
      const blue = decodeAction(environment.network.slots, action)
      if (blue?.kind !== 'remove') return
      const kept = before.access[blue.at] === PRIVILEGED
      if (kept) expect(after.access[blue.at]).toBe(PRIVILEGED)
      else expect([NONE, PRIVILEGED]).toContain(after.access[blue.at])
    })
  })

  it('lets a remove keep red out for nothing only where it takes the shell of the very step, as published', () => {
    const kept = (removal: 'any' | 'standing'): number => {
      const environment = createEnvironment({ topology: CAGE2, red: 'b-line', steps: 100, removal })
      const always = encodeAction(13, 'remove', 9)
      return playEpisodes(environment, () => ({ act: () => always }), 20, 'remove').mean
    }
    // The shell that user1 is exploited with costs its 0.1 only if it outlives the step.
    expect(kept('any')).toBeCloseTo(0, 9)
    expect(kept('standing')).toBeLessThan(-1000)
  })

  it('removes what stood before the step under either rule', () => {
    for (const removal of ['any', 'standing'] as const) {
      const environment = createEnvironment({ topology: CAGE2, red: 'sleep', steps: 5, removal })
      const state = environment.start()
      state.access[2] = USER
      expect(environment.step(state, encodeAction(13, 'remove', 2), prng('any')).state.access[2]).toBe(NONE)
    }
  })

  it('shows bits, scan ages and decoys that are left, and nothing in empty slots', () => {
    everyTurn(({ network }, { observation }) => {
      const { slots } = network
      observation.subarray(0, 4 * slots).forEach((bit) => expect(bit === 0 || bit === 1).toBe(true))
      network.hosts.forEach((host, at) => {
        expect(observation[4 * slots + at]).toBeLessThanOrEqual(2)
        expect(observation[5 * slots + at]).toBeLessThanOrEqual(host?.decoys.length ?? 0)
        if (host === null) expect(observation[4 * slots + at]).toBe(0)
      })
    })
  })

  it('costs nothing while red sleeps and blue restores nothing', () => {
    const environment = createEnvironment({ topology: CAGE2, red: 'sleep', steps: 100 })
    for (const name of ['sleep', 'react-remove', 'react-restore', 'react-decoy'] as const) {
      expect(playEpisodes(environment, () => blueAgent(name, environment, CAGE2_DECOY_ORDER), 5, name).mean).toBe(0)
    }
  })

  it('shows an analysed system compromise', () => {
    const environment = createEnvironment({ topology: CAGE2, red: 'sleep', steps: 100 })
    const state = environment.start()
    state.access[3] = PRIVILEGED
    const { observation } = environment.step(state, encodeAction(13, 'analyse', 3), prng('any'))
    expect([...observation.subarray(14, 16)]).toEqual([1, 1])
  })

  it('turns most exploits away from a host with a decoy that red prefers', () => {
    const share = (decoy: boolean): number => {
      const environment = createEnvironment({ topology: CAGE2, red: 'b-line', steps: 100 })
      let landed = 0
      for (let i = 0; i < 1000; i++) landed += exploitOpServer(environment, decoy, prng(`decoy/${i}`)) ? 1 : 0
      return landed / 1000
    }
    expect(share(false)).toBe(1)
    // 3 of 4 throws go to the decoy, of the others all to what is real.
    expect(share(true)).toBeGreaterThan(0.2)
    expect(share(true)).toBeLessThan(0.3)
  })

  it('numbers actions and reads the numbers back', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 64 }), fc.nat(), (slots, n) => {
        const action = decodeAction(slots, 1 + (n % (actionCount(slots) - 1)))
        if (action === undefined || action.kind === 'sleep') throw new Error('no action')
        expect(encodeAction(slots, action.kind, action.at)).toBe(1 + (n % (actionCount(slots) - 1)))
      }),
    )
  })
})

/** The rewards of random play, episode by episode, from one batch. */
function playTogether(environment: Environment, seeds: readonly string[]): number[][] {
  const batch = environment.start(seeds.length)
  const randoms: Prng[] = seeds.map((seed) => prng(seed))
  const blue = blueAgent('random', environment)
  const rewards = new Float64Array(seeds.length)
  const observations = new Float32Array(seeds.length * environment.observationSize)
  const played: number[][] = seeds.map(() => [])
  for (let i = 0; i < environment.steps; i++) {
    const actions = randoms.map((random, row) => blue.act(observations, environment.mask(batch, row), random))
    environment.stepAll(batch, actions, randoms, rewards, observations)
    rewards.forEach((reward, row) => played[row]?.push(reward))
    seeds.forEach((_, row) =>
      expect(environment.observe(batch, row)).toEqual(
        observations.slice(row * environment.observationSize, (row + 1) * environment.observationSize),
      ),
    )
  }
  return played
}

/** Whether B-line takes the operational server in one throw, everything before it being done. */
function exploitOpServer(environment: Environment, decoy: boolean, random: Prng): boolean {
  let state = environment.start()
  state.knowledge.fill(SCANNED)
  for (const at of [2, 3, 9]) state.access[at] = PRIVILEGED
  if (decoy) {
    const ready = structuredClone(state)
    state.knowledge[7] = 0
    state = environment.step(state, encodeAction(13, 'decoy', 7), random).state
    state.knowledge.set(ready.knowledge)
  }
  return environment.step(state, 0, random).state.access[7] !== NONE
}
