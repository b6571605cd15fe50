import { describe, expect, it } from 'vitest'
import { loadKernels } from '../../test/kernels.ts'
import { prng } from '../base/prng.ts'
import { toGrid } from '../privacy/dp/grid.ts'
import { createNoiseTable } from '../privacy/dp/table.ts'
import { isForHub, nameOf, World } from '../privacy/masking/fixtures.ts'
import { signedIntegers } from '../privacy/masking/quantise.ts'
import { privacyStatement } from './block-content.ts'
import { clip, prepareContribution } from './contribution.ts'
import { configOf, digestFor, opening, organisation, participants, ROUND } from './learning.suite.ts'
import { afterProposal, announcementOf, factsOf, proposedBlock } from './masked-round.suite.ts'
import { maskedStages, maskingContext } from './masking-config.ts'
import { coordinateBound, noiseOf } from './organisation-privacy.ts'
import { participantMachine } from './participant.ts'
import { guaranteeOf } from './privacy-config.ts'
import { roundMachine } from './round.ts'
import { expectedStages, sameStages, type StageRecord } from './stages.ts'
import { MECHANISMS } from './mechanisms.ts'

const kernels = loadKernels()
const PRIVACY = { unit: 'organisation', mechanism: 'distributed-discrete-gaussian', epsilon: 4, delta: 1e-5, clip: 2 }
const asked = (changes: Record<string, unknown> = {}, invitedMin = 10) =>
  configOf({
    privacy: { ...PRIVACY, invitedMin },
    protection: 'secagg',
    rounds: 5,
    round: { participantsMin: 3, deadlineMs: 1_000 },
    ...changes,
  })
const config = asked()
const planned = (of = config) => noiseOf(of) ?? expect.fail('no plan')
const tables = new Map<number, ReturnType<typeof createNoiseTable>>()

/** Seeded for the test; a node draws from the operating system. */
const drawFrom = (seed: string) => (deviation: number, out: Int32Array) => {
  const table = tables.get(deviation) ?? createNoiseTable({ numerator: BigInt(deviation) ** 2n, denominator: 1n })
  tables.set(deviation, table)
  const random = prng(seed)
  table.draw(out, (length) => Uint8Array.from({ length }, () => random.u32() & 255))
}

const LENGTH = 20_000

/** A round of ten with noise in shares; the masked vectors of those at `away` never arrive. */
function sharedRound(away: readonly number[]) {
  const grid = coordinateBound(config).grid ?? expect.fail('no grid')
  const gone = new Set(away.map(nameOf))
  const world = new World({
    seed: `shared ${away.join()}`,
    count: 10,
    length: LENGTH,
    ...grid,
    intercept: (delivery) =>
      isForHub(delivery) && delivery.event.type === 'vector' && gone.has(delivery.from as never) ? [] : [delivery],
  })
  const trained = new Map(
    world.names.map((name) => {
      const random = prng(`update of ${name}`)
      return [name, Float32Array.from({ length: LENGTH }, () => random.normal() * 0.05)]
    }),
  )
  for (const [name, update] of trained) {
    const options = { config, parameterCount: LENGTH, kernels, drawNoise: drawFrom(`noise of ${name}`) }
    world.updates.set(name, prepareContribution(update, options).update)
  }
  world.run()
  if (world.hub.phase !== 'done') expect.fail(`the round ended in phase ${world.hub.phase}`)
  const survivors = world.hub.facts.survivors.map(({ organisation: name }) => name)
  return { sum: signedIntegers(world.sum ?? new Uint8Array(), 32), survivors, trained, facts: world.hub.facts }
}

/** What is to be in the sum, by other code: clipped updates in whole steps, and each survivor's noise drawn again. */
function plainSums({ survivors, trained }: Pick<ReturnType<typeof sharedRound>, 'survivors' | 'trained'>) {
  const [updates, noises] = [new Float64Array(LENGTH), new Float64Array(LENGTH)]
  for (const name of survivors) {
    const update = trained.get(name) ?? expect.fail('no update')
    const clipped = clip(update, { config, kernels, parameterCount: LENGTH }).update
    const drawn = new Int32Array(LENGTH)
    drawFrom(`noise of ${name}`)(planned().deviation, drawn)
    toGrid(clipped, planned().exponent).forEach((steps, i) => (updates[i] = (updates[i] ?? 0) + steps))
    drawn.forEach((steps, i) => (noises[i] = (noises[i] ?? 0) + steps))
  }
  return { updates, noises }
}

const meanSquare = (values: Float64Array): number => values.reduce((sum, value) => sum + value * value, 0) / LENGTH

describe('noise in shares under secure aggregation', () => {
  it.each([[[]], [[3]], [[0, 5, 9]]])(
    'leaves a sum of exactly the survivors’ updates and shares, and of the deviation that their number makes: away %j',
    (away) => {
      const round = sharedRound(away)
      expect(round.survivors).toHaveLength(10 - away.length)
      const { updates, noises } = plainSums(round)
      expect([...round.sum]).toEqual([...updates.map((value, i) => value + (noises[i] ?? 0))])
      const { deviation, survivorsMin } = planned()
      const variance = meanSquare(round.sum.map((value, i) => value - (updates[i] ?? 0)))
      // A mean of 20,000 squares has a relative deviation of 1 %.
      expect(Math.abs(variance / (round.survivors.length * deviation ** 2) - 1)).toBeLessThan(0.05)
      // The fewest survivors less two corrupt, who know their own shares, leave what was planned for.
      expect(survivorsMin).toBe(5)
      expect(round.survivors.length - round.facts.corruptMax).toBeGreaterThanOrEqual(survivorsMin ?? 0)
    },
  )

  it('has less noise the more share it, and is recorded with the survivors that it is sized for', () => {
    const inUnits = (of: ReturnType<typeof noiseOf>) => (of === null ? 0 : of.deviation * 2 ** of.exponent)
    const alone = inUnits(noiseOf(asked({ privacy: { ...PRIVACY, mechanism: 'local-discrete-gaussian' } })))
    expect(alone / inUnits(noiseOf(config))).toBeCloseTo(Math.sqrt(5), 1)
    expect(alone / inUnits(noiseOf(asked({}, 100)))).toBeCloseTo(Math.sqrt(47), 1)
    const options = { config, parameterCount: 3, kernels, drawNoise: drawFrom('one') }
    const { stages } = prepareContribution(Float32Array.of(1, 2, 3), options)
    expect(sameStages(stages, expectedStages(config))).toBe(true)
    expect(stages.find(({ stage }) => stage === 'noise')?.parameters).toMatchObject({
      mechanism: 'distributed-discrete-gaussian',
      survivors: 5,
      deviation: planned().deviation,
    })
  })

  it('leaves room for all noise in any sum that a block can hold, and for nobody who claims more weight', () => {
    const { clip: largest, levels } = coordinateBound(config).grid ?? { clip: 0, levels: 0 }
    expect(largest / levels).toBe(2 ** planned().exponent)
    for (const epsilon of [0.1, 1, 10, 30])
      expect(150 * (coordinateBound(asked({ privacy: { ...PRIVACY, epsilon } })).grid?.levels ?? 0)).toBeLessThan(
        2 ** 31,
      )
    const about = { federation: 'f.example' as never, round: ROUND, task: digestFor('task') }
    const where = { ...about, invited: participants('org-a'), length: 4 }
    expect(maskingContext(config, where, coordinateBound(config))).toMatchObject({
      clip: largest,
      levels,
      weightMax: 1,
    })
    const greedy = new World({ seed: 'greedy', count: 4, clip: 1, levels: 8 })
    greedy.weightOf = (name) => (name === nameOf(0) ? 2 : 1)
    greedy.run()
    expect(greedy.hub.phase === 'done' && greedy.hub.facts.survivors.map((one) => one.organisation)).toEqual(
      [1, 2, 3].map(nameOf),
    )
  })
})

describe('the guarantee of shared noise', () => {
  const { clip: valueMax, levels } = coordinateBound(config).grid ?? { clip: 1, levels: 1 }
  const ten = { invited: 10, advertised: 10, neighbours: 9, threshold: 7, quorum: 7, corruptMax: 2, length: 4 }
  const facts = { ...ten, width: 32, levels, clip: valueMax, weightMax: 1 } as const
  const stages = maskedStages(expectedStages(config), facts)
  const changed = (stage: string, parameters: Record<string, number | string>) =>
    stages.map(
      (record): StageRecord =>
        record.stage === stage ? { ...record, parameters: { ...record.parameters, ...parameters } } : record,
    )

  it('follows from the records and says against whom it holds', () => {
    const stated = privacyStatement(stages, 5)
    expect(stated).toMatchObject({ unit: 'organisation', against: 'hub with up to 2 of 10 organisations', rounds: 5 })
    const { epsilon } = stated as { epsilon: number }
    expect(epsilon).toBeLessThanOrEqual(4 + 1e-4)
    expect(epsilon).toBeGreaterThan(3.95)
    expect(guaranteeOf(changed('noise', { deviation: planned().deviation / 2 }), 5)?.epsilon).toBeGreaterThan(8)
    expect(guaranteeOf(changed('noise', { survivors: 4 }), 5)?.epsilon).toBeGreaterThan(4.4)
  })

  it('is none where the shares were not hidden among each other', () => {
    expect(guaranteeOf(expectedStages(config), 5)).toBeNull()
    expect(privacyStatement(expectedStages(config), 5)).toMatchObject({ epsilon: null })
  })

  it.each([
    ['masks that leave fewer honest survivors than shares were sized for', 'mask', { quorum: 6 }],
    ['masks that more corrupt ones can be in', 'mask', { corrupt_max: 3 }],
    ['a sum that was rounded after the noise', 'quantise', { levels: levels / 2 }],
    ['a sum in which somebody weighed more', 'quantise', { weight_max: 2 }],
    ['shares that do not say for how many they are', 'noise', { survivors: 'many' }],
  ] as const)('is refused for %s', (_, stage, parameters) => {
    expect(() => guaranteeOf(changed(stage, parameters), 5)).toThrow(
      expect.objectContaining({ code: 'invalid-request' }),
    )
  })
})

describe('a training that asks for noise in shares', () => {
  it.each([
    ['in the clear', { protection: 'plain' }, 'takes "secagg"'],
    ['with buckets', { robust: { rule: 'median', f: 1 } }, 'bucket'],
    [
      'with a key that organisations share',
      { protection: 'ckks', encryption: { parameters: 'a'.repeat(64), threshold: 3 } },
      'takes "secagg"',
    ],
    [
      'with slots of 16 bits',
      { protection: 'paillier', encryption: { parameters: 'a'.repeat(64), threshold: 3 } },
      'rounds and cuts off',
    ],
    ['with a delta below the chance that masks fail', { privacy: { ...PRIVACY, delta: 1e-9 } }, 'failureBits'],
    ['for more than may take part', { round: { participantsMin: 3, participantsMax: 9 } }, 'participantsMax'],
    ['with a second clip', { clipNorm: 1 }, 'clipNorm'],
  ])('is refused %s, with the reason', (_, changes, reason) => {
    expect(() => asked(changes)).toThrow(reason)
  })

  it('takes a smaller delta with masks that fail less often', () => {
    expect(asked({ privacy: { ...PRIVACY, delta: 1e-9 }, masking: { failureBits: 80 } }).masking.failureBits).toBe(80)
  })

  const machine = participantMachine({
    organisation: organisation('org-a'),
    accepts: ['secagg'],
    mechanisms: MECHANISMS,
    requirePrivacy: false,
  })
  const three = asked({}, 3)
  it('is not opened by the hub to fewer than shares are sized for, and is sized for participantsMin if that is more', () => {
    const opened = roundMachine.step(roundMachine.initial(`round/${ROUND}`), opening({ config }))
    expect(opened.state).toMatchObject({ phase: 'abandoned', reason: 'too-few-candidates', detail: '3 of at least 10' })
    expect(noiseOf(asked({ round: { participantsMin: 100 } }))?.survivorsMin).toBe(47)
    const local = { ...PRIVACY, mechanism: 'local-discrete-gaussian' }
    expect(() => asked({ privacy: { ...local, invitedMin: 10 } })).toThrow('invitedMin')
  })

  it('is declined before any work by whom the hub invites among fewer than shares are sized for', () => {
    const { state, effects } = machine.step(machine.initial(`participant/${ROUND}`), announcementOf(config))
    expect(state.phase).toBe('abandoned')
    expect(effects).toMatchObject([{ type: 'decline', reason: expect.stringContaining('3 are too few') as string }])
    const joined = machine.step(machine.initial(`participant/${ROUND}`), announcementOf(three))
    expect(joined.state.phase).toBe('training')
  })

  it('gets no signature under a block that says more of it than was done', () => {
    const after = (proposed = {}) => afterProposal(machine, three, proposedBlock(three, proposed))
    expect(after().phase).toBe('signing')
    const refused = { refusals: [{ reason: 'other-privacy-params' }] }
    expect(after({ lie: { epsilon: 0.5 } })).toMatchObject(refused)
    expect(after({ lie: { against: 'everybody' } })).toMatchObject(refused)
    expect(after({ facts: { ...factsOf(three), corruptMax: 0 } })).toMatchObject(refused)
  })
})
