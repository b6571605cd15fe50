import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { loadKernels } from '../../../test/kernels.ts'
import { concatBytes } from '../../base/bytes.ts'
import { prng } from '../../base/prng.ts'
import { decodeSafetensors } from '../../models/formats/safetensors.ts'
import { type Aggregation, type AggregationOutcome, aggregate } from '../aggregate.ts'
import { configOf, modelReader, updateReader } from '../learning.suite.ts'
import type { TensorReader } from '../tensor-reader.ts'
import { organisationsMin, ROBUST_RULES, type RobustConfig, robustConfigSchema, robustProblem } from './config.ts'
import { selectingNetwork, sortingNetwork } from './network.ts'
import { reference } from './reference.suite.ts'

const kernels = loadKernels()
const SEED = 'seed/1'
const RULES = ROBUST_RULES.filter((rule) => rule !== 'none')
const robustOf = (config: Partial<RobustConfig>): RobustConfig => robustConfigSchema.parse(config)
const nameOf = (i: number): string => `org-${String(i).padStart(3, '0')}`

interface Outcome extends AggregationOutcome {
  readonly delta: readonly number[]
  readonly bytes: Uint8Array
}

/** Updates in the order given; the base is zero, so that the model is the aggregate. */
async function run(
  vectors: readonly (readonly number[])[],
  config: Partial<RobustConfig>,
  changes: Partial<Aggregation> & {
    readonly names?: readonly string[]
    readonly sampleCounts?: readonly number[]
  } = {},
): Promise<Outcome> {
  const { names = vectors.map((_, i) => nameOf(i)), sampleCounts = [], ...job } = changes
  const model: Uint8Array[] = []
  const outcome = await aggregate({
    base: await modelReader(vectors[0]?.map(() => 0) ?? []),
    previous: null,
    state: null,
    updates: await Promise.all(
      vectors.map(async (values, i) => ({
        organisation: names[i] ?? '',
        sampleCount: sampleCounts[i] ?? 1,
        reader: await updateReader(values),
      })),
    ),
    strategy: configOf().strategy,
    robust: robustOf(config),
    seed: SEED,
    sampleCountMax: 1000,
    version: 'v',
    kernels,
    writeModel: async (chunk) => void model.push(chunk.slice()),
    writeState: async () => undefined,
    ...job,
  })
  const bytes = concatBytes(...model)
  const delta = [...decodeSafetensors(bytes).tensors.values()].flatMap(({ values }) => [...values])
  return { ...outcome, delta, bytes }
}

/** Honest updates around a direction, and liars somewhere else; float32 values. */
function updates(seed: string, count: number, liars: number, length: number): number[][] {
  const random = prng(seed)
  const direction = Array.from({ length }, () => random.normal())
  return Array.from({ length: count }, (_, i) =>
    direction.map((value) => Math.fround((i < liars ? -4 * value : value) + random.normal() * (i < liars ? 3 : 0.5))),
  )
}

const closeTo = (values: readonly number[], scale: number): number[] =>
  values.map((value) => expect.closeTo(value, Math.max(0, 4 - Math.ceil(Math.log10(scale)))) as number)

const MIXINGS = ['none', 'nearest-neighbours', 'buckets'] as const

describe('robust rules', () => {
  it('give the vectors in the documentation of ByzFL, with its n - f - 1 neighbours', async () => {
    const x = [
      [1, 2, 3],
      [4, 5, 6],
      [7, 8, 9],
    ]
    const neighbours = 'n-f-1'
    expect((await run(x, { rule: 'median' })).delta).toEqual([4, 5, 6])
    expect((await run(x, { rule: 'trimmed-mean', f: 1 })).delta).toEqual([4, 5, 6])
    expect((await run(x, { rule: 'krum', f: 1, neighbours })).delta).toEqual([1, 2, 3])
    expect((await run(x, { rule: 'multi-krum', f: 1, neighbours })).delta).toEqual([2.5, 3.5, 4.5])
  })

  for (const rule of RULES)
    it.each(MIXINGS)(`${rule} equals the float64 reference of its paper, mixing %s`, async (mixing) => {
      const cases = [
        [11, 2, 37],
        [12, 1, 300],
        [23, 3, 600],
        [28, 1, 40],
      ] as const
      const possible = cases.filter(([count, f]) => robustProblem(robustOf({ rule, f, mixing }), count) === undefined)
      expect(possible.length).toBeGreaterThan(0)
      for (const [count, f, length] of possible) {
        const vectors = updates(`${rule}/${mixing}/${count}`, count, f, length)
        const sampleCounts = vectors.map((_, i) => 1 + ((7 * i) % 5))
        const config = robustOf({ rule, f, mixing, neighbours: count === 12 ? 'n-f-1' : 'n-f-2', iterations: 20 })
        // With buckets the counts behind a point are averaged; the reference takes plain vectors.
        const counts = mixing === 'none' ? sampleCounts : vectors.map(() => 1)
        const { delta } = await run(vectors, config, { sampleCounts: counts })
        expect(delta).toEqual(closeTo(reference(vectors, counts, config, SEED), 1))
      }
    })

  it('give the same bits whatever the chunk size and the order of arrival', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...RULES),
        fc.constantFrom(...MIXINGS),
        fc.integer({ min: 1, max: 700 }),
        fc.nat(1000),
        async (rule, mixing, chunkElements, seed) => {
          const vectors = updates(String(seed), 11, 2, 613)
          const config = { rule, mixing, f: mixing === 'buckets' ? 1 : 2 }
          const whole = await run(vectors, config)
          const shift = <T>(items: readonly T[]): T[] => [...items.slice(4), ...items.slice(0, 4)]
          const names = shift(vectors.map((_, i) => nameOf(i)))
          const pieces = await run(shift(vectors), config, { chunkElements, names })
          expect(pieces.bytes).toEqual(whole.bytes)
          expect(pieces.robust).toEqual(whole.robust)
        },
      ),
      { numRuns: 60 },
    )
  })

  it.each(RULES)('%s means the same when the organisations have other names', async (rule) => {
    const vectors = updates('names', 11, 2, 64)
    const turned = vectors.toReversed()
    const [one, other] = [await run(vectors, { rule, f: 2 }), await run(turned, { rule, f: 2 })]
    expect(other.delta).toEqual(closeTo(one.delta, 1))
    expect(other.robust?.leftOut.map((i) => 10 - i).toSorted((a, b) => a - b)).toEqual(one.robust?.leftOut)
  })

  for (const rule of RULES)
    it.each([
      ['NaN', [Number.NaN]],
      ['infinity', [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]],
      ['values whose squares overflow', [3e38, -3e38]],
    ])(`${rule} is not moved by an organisation that sends %s`, async (_, [first = 0, second = first]) => {
      const honest = updates('nan', 9, 0, 40)
      const poison = honest[0]?.map((_value, i) => (i % 2 === 0 ? first : second)) ?? []
      const { delta, robust } = await run([...honest, poison, poison.map((value) => -value)], { rule, f: 2 })
      const centre = reference(
        honest,
        honest.map(() => 1),
        robustOf({ rule: 'median' }),
        SEED,
      )
      const distance = Math.hypot(...delta.map((value, i) => value - (centre[i] ?? 0)))
      expect(distance).toBeLessThan(5)
      expect(robust?.flagged).toEqual([9, 10])
    })

  it('take NaN for an error when more organisations send it than the rule withstands', async () => {
    const honest = updates('many', 3, 0, 10)
    const poison = honest.map((one) => one.map(() => Number.NaN))
    await expect(run([...honest, ...poison], { rule: 'trimmed-mean', f: 1 })).rejects.toMatchObject({
      code: 'not-finite',
    })
  })

  it('name whose update is no longer finite when it is read the second time', async () => {
    const vectors = updates('changed', 7, 0, 40)
    const readers = await Promise.all(vectors.map((values) => updateReader(values)))
    const [first] = readers as [TensorReader]
    let reads = 0
    const changing: TensorReader = {
      ...first,
      async read(offset, into) {
        await first.read(offset, into)
        if (++reads > 1) new Float32Array(into.buffer, into.byteOffset, 1)[0] = Number.NaN
      },
    }
    const [, ...others] = readers
    const changed = [changing, ...others].map((reader, i) => ({ organisation: nameOf(i), sampleCount: 1, reader }))
    await expect(run(vectors, { rule: 'geometric-median', f: 1 }, { updates: changed })).rejects.toMatchObject({
      code: 'not-finite',
      message: expect.stringContaining('org-000'),
    })
  })

  it('stay near the honest mean under a fifth of liars, where the mean does not', async () => {
    const vectors = updates('fifth', 15, 3, 200)
    const honest = reference(vectors.slice(3), [], robustOf({ rule: 'none' }), SEED)
    const distance = ({ delta }: Outcome): number => Math.hypot(...delta.map((value, i) => value - (honest[i] ?? 0)))
    const limit = distance(await run(vectors, { rule: 'none' })) / 2
    for (const rule of RULES.filter((one) => one !== 'norm-bound'))
      expect(distance(await run(vectors, { rule, f: 3 })), rule).toBeLessThan(limit)
  })

  it('say who had no part, who was shortened and who was far from the rest', async () => {
    const vectors = updates('report', 11, 2, 100)
    expect((await run(vectors, { rule: 'multi-krum', f: 2 })).robust).toEqual({
      rule: 'multi-krum',
      leftOut: [0, 1],
      clipped: [],
      flagged: [0, 1],
    })
    expect((await run(vectors, { rule: 'median', f: 2 })).robust).toMatchObject({ leftOut: [], flagged: [0, 1] })
    expect((await run(vectors, { rule: 'norm-bound', normMax: 20 })).robust?.clipped).toEqual([0, 1])
    expect((await run(vectors.slice(2), { rule: 'median' })).robust?.flagged).toEqual([])
    expect(await run(vectors, { rule: 'none' })).not.toHaveProperty('robust')
  })

  it('say who points against the step before, whatever the size of the blocks, and nothing where there was none', async () => {
    const vectors = updates('against', 11, 2, 700)
    const step = vectors[5] ?? []
    // A later model has a longer version in its header: its values begin elsewhere in the file.
    const previous = await modelReader(
      step.map((value) => -value),
      'v1.1234567890-round-1234567890',
    )
    for (const rule of ['multi-krum', 'norm-bound', 'bulyan'] as const)
      for (const chunkElements of [1 << 14, 256]) {
        const { robust, bytes } = await run(vectors, { rule, f: 2 }, { previous, chunkElements })
        expect(robust?.against, rule).toEqual([0, 1])
        // Looking at the direction changes nothing of the model.
        expect(bytes).toEqual((await run(vectors, { rule, f: 2 })).bytes)
      }
    expect((await run(vectors, { rule: 'multi-krum', f: 2 })).robust).not.toHaveProperty('against')
    expect((await run(vectors, { rule: 'median', f: 2 }, { previous })).robust).not.toHaveProperty('against')
  })

  it('do not trust sample counts, but for the norm bound', async () => {
    const vectors = updates('counts', 11, 0, 20)
    const sampleCounts = vectors.map((_, i) => (i === 0 ? 1000 : 1))
    for (const rule of RULES) {
      const [plain, weighted] = [
        await run(vectors, { rule, f: 2 }),
        await run(vectors, { rule, f: 2 }, { sampleCounts }),
      ]
      if (rule === 'norm-bound') expect(weighted.bytes).not.toEqual(plain.bytes)
      else expect(weighted.bytes, rule).toEqual(plain.bytes)
    }
  })
})

describe('sorting networks', () => {
  const through = (pairs: Uint32Array, values: readonly number[]): number[] => {
    const out = [...values]
    for (let at = 0; at < pairs.length; at += 2) {
      const [i, j] = [pairs[at] ?? 0, pairs[at + 1] ?? 0]
      const [a, b] = [out[i] ?? 0, out[j] ?? 0]
      out[i] = Math.min(a, b)
      out[j] = Math.max(a, b)
    }
    return out
  }

  it('sort any column (0-1 principle: all columns of zeros and ones, up to twelve rows)', () => {
    for (let size = 1; size <= 12; size++) {
      const { pairs } = sortingNetwork(size)
      for (let bits = 0; bits < 2 ** size; bits++) {
        const column = Array.from({ length: size }, (_, i) => (bits >> i) & 1)
        expect(through(pairs, column)).toEqual(column.toSorted((a, b) => a - b))
      }
    }
  })

  it('cut down to a range of wires still put the right values there, up to a hundred and fifty rows', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 150 }), fc.nat(), fc.nat(), (size, a, b) => {
        const from = a % size
        const to = from + 1 + (b % (size - from))
        const random = prng(`${size}/${from}/${to}`)
        const column = Array.from({ length: size }, () => random.below(50))
        const { pairs } = selectingNetwork(size, from, to)
        const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
        expect(pairs.length).toBeLessThanOrEqual(sortingNetwork(size).pairs.length)
        expect(sum(through(pairs, column).slice(from, to))).toBe(sum(column.toSorted((x, y) => x - y).slice(from, to)))
      }),
    )
  })

  it('cut down to any range of wires put the right values there (all columns of zeros and ones, up to ten rows)', () => {
    for (let size = 1; size <= 10; size++)
      for (let from = 0; from < size; from++)
        for (let to = from + 1; to <= size; to++) {
          const { pairs } = selectingNetwork(size, from, to)
          for (let bits = 0; bits < 2 ** size; bits++) {
            const column = Array.from({ length: size }, (_, i) => (bits >> i) & 1)
            const ones = column.reduce((total, bit) => total + bit, 0)
            const due = Math.max(0, Math.min(to, size) - Math.max(from, size - ones))
            const kept = through(pairs, column).slice(from, to)
            if (kept.reduce((total, bit) => total + bit, 0) !== due)
              expect.fail(`${size} ${from} ${to} ${column.join('')}`)
          }
        }
  })

  it('decide a trimmed mean in fewer comparators than a cut-down sort needs', () => {
    // Of sortingNetwork(100), 912 would be left.
    expect(selectingNetwork(100, 24, 76).pairs.length / 2).toBe(838)
    expect(selectingNetwork(100, 49, 51).pairs.length / 2).toBe(888)
  })
})

describe('what a rule needs', () => {
  it.each<[Partial<RobustConfig>, number]>([
    [{ rule: 'median', f: 2 }, 5],
    [{ rule: 'trimmed-mean', f: 3 }, 7],
    [{ rule: 'krum', f: 1 }, 5],
    [{ rule: 'multi-krum', f: 2 }, 7],
    [{ rule: 'bulyan', f: 1 }, 7],
    [{ rule: 'krum', f: 1, mixing: 'buckets', bucketSize: 2 }, 9],
    [{ rule: 'none' }, 1],
  ])('for %j is %i organisations', (config, needed) => {
    expect(organisationsMin(robustOf(config))).toBe(needed)
    expect(robustProblem(robustOf(config), needed)).toBeUndefined()
  })

  it('is refused at the start, with what to do', () => {
    const started = (changes: Record<string, unknown>): unknown => configOf(changes)
    expect(() => started({ robust: { rule: 'krum', f: 2 }, round: { participantsMin: 5 } })).toThrow(
      'krum against 2 needs rounds of at least 7 organisations, and round.participantsMin is 5: raise it, lower robust.f, or take geometric-median, which needs 5',
    )
    expect(() => started({ robust: { rule: 'none', mixing: 'buckets' } })).toThrow('needs a robust.rule')
    expect(() => started({ robust: { rule: 'mean' } })).toThrow('robust.rule')
    expect(started({ robust: { rule: 'krum', f: 2 }, round: { participantsMin: 7 } })).toMatchObject({
      robust: { f: 2 },
    })
  })
})
