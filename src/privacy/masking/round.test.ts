import { describe, expect, it } from 'vitest'
import { toBase64Url } from '../../base/bytes.ts'
import { digest, organisationId } from '../../base/ids.ts'
import { plainArithmetic } from './arithmetic.ts'
import { identityOf, nameOf, World, type WorldOptions } from './fixtures.ts'
import { addVectors } from './mask.ts'
import { maskingClient } from './client.ts'
import { maskingServer } from './server.ts'
import { signedIntegers } from './quantise.ts'
import { maskUpdate, unmaskSum } from './vector.ts'

/** The plain sum of the quantised updates of those who count. */
function plainSum(world: World): Uint8Array {
  const facts = world.hub.phase === 'done' ? world.hub.facts : undefined
  const vectors = (facts?.survivors ?? []).map(
    ({ organisation }) => world.quantised.get(organisation) ?? new Uint8Array(),
  )
  const sum = new Uint8Array(vectors[0]?.length ?? 0)
  addVectors(sum, vectors, plainArithmetic(facts?.width === 64 ? 64 : 32))
  return sum
}

const sparse = { completeMax: 8, failureBits: 20, corruptShare: 0.1, dropoutShare: 0.05 } as const

/** Somebody is away from a time on, for ever. Phases last 1000 ms when somebody is missing. */
const awayFrom =
  (times: Readonly<Record<string, number>>): NonNullable<WorldOptions['awayUntil']> =>
  (name, at) =>
    at >= (times[name] ?? Number.POSITIVE_INFINITY) ? Number.POSITIVE_INFINITY : 0

describe('a round of secure aggregation', () => {
  it.each([3, 4, 5, 10, 30])('gives exactly the plain sum of %i quantised updates', (count) => {
    const world = new World({ seed: 'plain', count, length: 33 }).run()
    expect(world.refused).toEqual([])
    expect(world.hub.phase).toBe('done')
    expect(world.sum).toEqual(plainSum(world))
    expect([...world.clients.values()].every(({ phase }) => phase === 'revealed')).toBe(true)
  })

  it('gives exactly that on a drawn graph of neighbours too', () => {
    const world = new World({ seed: 'sparse', count: 60, policy: sparse }).run()
    expect(world.refused).toEqual([])
    if (world.hub.phase !== 'done') throw new Error(JSON.stringify(world.hub))
    expect(world.hub.facts.neighbours).toBeLessThan(59)
    expect(world.sum).toEqual(plainSum(world))
  })

  it.each([
    ['before its keys', -1, 9],
    ['after its keys', 1.5, 9],
    ['after its shares', 4.5, 9],
    ['after its vector', 7.5, 10],
    ['after its signature', 9.5, 10],
  ])('goes on without one that drops out %s', (_, from, survivors) => {
    const world = new World({ seed: 'drop', count: 10, awayUntil: awayFrom({ [nameOf(3)]: from }) }).run()
    if (world.hub.phase !== 'done') throw new Error(JSON.stringify(world.hub))
    expect(world.hub.facts.survivors).toHaveLength(survivors)
    expect(world.sum).toEqual(plainSum(world))
  })

  it.each([
    ['before its keys', -1, 1.5, 9],
    ['after its shares', 4.5, 5.5, 9],
    ['after its vector', 6.5, 6.7, 9],
    ['after its signature', 9.5, 9.7, 10],
  ])('does not wait for one that leaves %s', (_, from, said, survivors) => {
    const name = nameOf(3)
    const world = new World({ seed: 'gone', count: 10, awayUntil: awayFrom({ [name]: from }) })
    world.schedule(said, { to: 'hub', from: 'hub', event: { type: 'gone', organisation: name, at: said } })
    world.run()
    if (world.hub.phase !== 'done') throw new Error(JSON.stringify(world.hub))
    expect(world.hub.facts.survivors).toHaveLength(survivors)
    expect(world.sum).toEqual(plainSum(world))
    expect(world.hubLog.filter(({ type }) => type === 'summed')[0]?.at).toBeLessThan(20)
  })

  it('rounds by a public name: other secrets, the same integers', () => {
    const quantised = ['a', 'b'].map((seed) => {
      const client = new World({ seed, count: 3 })
      client.updates.forEach((update) => update.fill(0.123))
      return [...client.run().quantised.values()]
    })
    expect(quantised[0]).toEqual(quantised[1])
  })

  it('opens later than a message of it, or not at all, without losing either', () => {
    const server = maskingServer()
    const gone = { type: 'gone', organisation: nameOf(1), at: 0 } as const
    expect(() => server.step({ phase: 'idle' }, gone)).toThrow('has not been opened')
    const { context } = new World({ seed: 'late', count: 4 })
    const { state } = server.step({ phase: 'idle' }, { type: 'cancelled', at: 0 })
    const opened = { type: 'opened', context, phaseMs: 1, deadline: 1, at: 0 } as const
    expect(server.step(state, opened)).toMatchObject({ state: { phase: 'abandoned' }, effects: [] })
  })

  it('drops out and comes back on a drawn graph, and the masks of those who stayed away are taken out', () => {
    const away = Object.fromEntries([5, 17].map((i) => [nameOf(i), 4.5]))
    const world = new World({ seed: 'sparse-drop', count: 60, policy: sparse, awayUntil: awayFrom(away) }).run()
    if (world.hub.phase !== 'done') throw new Error(JSON.stringify(world.hub))
    expect(world.hub.facts).toMatchObject({ shared: 60, signatures: 58 })
    expect(world.sum).toEqual(plainSum(world))
  })

  it('is abandoned below the quorum, and nothing is asked for afterwards', () => {
    const away = Object.fromEntries([0, 1, 2, 3].map((i) => [nameOf(i), 4.5]))
    const world = new World({ seed: 'few', count: 10, awayUntil: awayFrom(away) }).run()
    expect(world.hub).toMatchObject({ phase: 'abandoned', reason: 'too-few-vectors' })
    expect(world.sent.filter(({ message }) => message === 'masking-reveal')).toEqual([])
    expect(world.clients.get(nameOf(9))).toEqual({ phase: 'abandoned', reason: 'too-few-vectors' })
  })

  it('refuses a vector that comes late; the mask key of its sender is open, its self-mask is not', () => {
    const world = new World({
      seed: 'late',
      count: 10,
      awayUntil: (name, at) => (name === nameOf(2) && at >= 4.5 && at < 2500 ? 2500 : 0),
    }).run()
    expect(world.hub.phase).toBe('done')
    expect(world.sum).toEqual(plainSum(world))
    expect(world.refused.map(({ error }) => error.code)).toContain('round-closed')
  })

  it('leaves no secret in the states of participants afterwards', () => {
    const world = new World({ seed: 'wiped', count: 4 }).run()
    for (const state of world.clients.values()) {
      expect(Object.keys(state).sort()).toEqual(['phase', 'report'])
      expect(JSON.stringify(state)).not.toMatch(/seed|"[A-Za-z0-9_-]{43}"/)
    }
  })

  it('replays: the events of each machine give its state again, bit for bit', () => {
    const world = new World({ seed: 'replay', count: 5, awayUntil: awayFrom({ [nameOf(1)]: 6.5 }) }).run()
    const server = maskingServer()
    const again = world.hubLog.reduce((state, event) => server.step(state, event).state, server.initial(''))
    expect(JSON.parse(JSON.stringify(again))).toEqual(world.hub)
    for (const [name, log] of world.clientLogs) {
      const client = maskingClient({ organisation: name, secret: identityOf(name) })
      const replayed = log.reduce((state, event) => client.step(state, event).state, client.initial(''))
      expect(JSON.parse(JSON.stringify(replayed))).toEqual(world.clients.get(name))
    }
  })

  it('masks and unmasks 64-bit integers alike', () => {
    const scale = { width: 64, levels: 2 ** 40, clip: 1, weightMax: 1 } as const
    const common = { length: 3, weight: 1, scale, rounding: toBase64Url(new Uint8Array(16)) }
    const mask = toBase64Url(new Uint8Array(16).fill(3))
    const one = maskUpdate({ ...common, masks: [`+${mask}`] }, Float32Array.of(-1, 0.5, 1))
    const two = maskUpdate({ ...common, masks: [`-${mask}`, `+${mask}`] }, Float32Array.of(-1, 0.25, 1))
    const vectors = ['a', 'b'].map((name) => ({ organisation: organisationId(name), vector: digest('0'.repeat(64)) }))
    const order = { length: 3, scale, totalWeight: 2, vectors, masks: [`-${mask}`] }
    const sum = unmaskSum(order, [one.words, two.words])
    expect([...signedIntegers(sum, 64)]).toEqual([-(2 ** 41), 0.75 * 2 ** 40, 2 ** 41])
  })
})
