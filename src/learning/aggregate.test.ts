import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { loadKernels } from '../../test/kernels.ts'
import { concatBytes } from '../base/bytes.ts'
import { decodeSafetensors } from '../models/formats/safetensors.ts'
import { type Aggregation, aggregate } from './aggregate.ts'
import { configOf, fileOf, memoryFile, modelReader, updateReader } from './learning.suite.ts'
import { STRATEGIES } from './strategies/strategies.ts'
import { openTensors, type TensorReader } from './tensor-reader.ts'

const kernels = loadKernels()

interface Update {
  readonly organisation: string
  readonly sampleCount: number
  readonly values: readonly number[]
}

interface Outcome {
  readonly model: Uint8Array
  readonly state: Uint8Array
  readonly norms: { readonly normDifference: number; readonly gradientNorm: number; readonly convergence: number }
}

async function run(
  base: readonly number[],
  updates: readonly Update[],
  changes: Partial<Aggregation> = {},
): Promise<Outcome> {
  const model: Uint8Array[] = []
  const state: Uint8Array[] = []
  const norms = await aggregate({
    base: await modelReader(base),
    previous: null,
    state: null,
    updates: await Promise.all(
      updates.map(async ({ values, ...rest }) => ({ ...rest, reader: await updateReader(values) })),
    ),
    strategy: configOf().strategy,
    sampleCountMax: 1_000_000,
    version: 'v1.1-round-1',
    kernels,
    writeModel: async (chunk) => void model.push(chunk.slice()),
    writeState: async (chunk) => void state.push(chunk.slice()),
    ...changes,
  })
  return { model: concatBytes(...model), state: concatBytes(...state), norms }
}

function valuesOf(file: Uint8Array): number[] {
  return [...decodeSafetensors(file).tensors.values()].flatMap(({ values }) => [...values])
}

const strategyOf = (name: string) => configOf({ strategy: { name } }).strategy
const update = (organisation: string, sampleCount: number, ...values: number[]): Update => ({
  organisation,
  sampleCount,
  values,
})

/** A federation: a base model, and updates of the same length with sample counts. */
const federation = fc.integer({ min: 2, max: 24 }).chain((length) => {
  const values = fc.array(fc.float({ noNaN: true, noDefaultInfinity: true, min: -1000, max: 1000 }), {
    minLength: length,
    maxLength: length,
  })
  const weighted = fc.record({ values, sampleCount: fc.integer({ min: 1, max: 1_000_000 }) })
  return fc.record({ base: values, updates: fc.array(weighted, { minLength: 1, maxLength: 6 }) })
})
const named = (updates: readonly { values: number[]; sampleCount: number }[]): Update[] =>
  updates.map((one, i) => ({ organisation: `org-${i}`, ...one }))

describe('the mean', () => {
  it('of two updates is weighted by their sample counts', async () => {
    // (1 * 4 + 3 * 8) / 4 = 7, (1 * 0 + 3 * 4) / 4 = 3, (1 * -4 + 3 * 0) / 4 = -1
    const { model } = await run([1, 1, 1], [update('a', 1, 4, 0, -4), update('b', 3, 8, 4, 0)])
    expect(valuesOf(model)).toEqual([8, 4, 0])
  })

  it('equals a naive float64 reference bit for bit', async () => {
    await fc.assert(
      fc.asyncProperty(federation, async ({ base, updates }) => {
        const { model } = await run(base, named(updates))
        const total = updates.reduce((sum, one) => sum + one.sampleCount, 0)
        const expected = base.map((old, i) => {
          let sum = 0
          for (const { values, sampleCount } of updates) sum += sampleCount * (values[i] ?? 0)
          return Math.fround(old + Math.fround(sum / total))
        })
        expect(valuesOf(model)).toEqual(expected.map((value) => expect.closeTo(value, 20)))
        expect(new Uint8Array(Float32Array.from(valuesOf(model)).buffer)).toEqual(
          new Uint8Array(Float32Array.from(expected).buffer),
        )
      }),
      { numRuns: 200 },
    )
  })

  it('is FedAvg: sum(n_i/n * w_i), within the rounding of float32', async () => {
    await fc.assert(
      fc.asyncProperty(federation, async ({ base, updates }) => {
        const { model } = await run(base, named(updates))
        const total = updates.reduce((sum, one) => sum + one.sampleCount, 0)
        valuesOf(model).forEach((value, i) => {
          const mean = updates.reduce(
            (sum, one) => sum + (one.sampleCount / total) * ((base[i] ?? 0) + (one.values[i] ?? 0)),
            0,
          )
          expect(Math.abs(value - mean)).toBeLessThan(1e-3)
        })
      }),
      { numRuns: 50 },
    )
  })
})

describe('the result', () => {
  it('does not depend on the chunk size or on the order of arrival, for any strategy, to the last bit', async () => {
    const strategies = fc.constantFrom(...Object.keys(STRATEGIES))
    await fc.assert(
      fc.asyncProperty(
        federation,
        strategies,
        fc.integer({ min: 1, max: 30 }),
        async ({ base, updates }, name, chunkElements) => {
          const strategy = strategyOf(name)
          const previous = await modelReader(base.map((value) => value / 2))
          const whole = await run(base, named(updates), { strategy, previous })
          const chunked = await run(base, named(updates).toReversed(), { strategy, previous, chunkElements })
          expect(chunked).toEqual(whole)
        },
      ),
      { numRuns: 100 },
    )
  })

  it('is summed in the order of the organisations, even where the order decides the sum', async () => {
    // (1e30 - 1e30) + 3 = 3, but 1e30 + (3 - 1e30) = 0: in the order a, b, c the mean is 1.
    const [a, b, c] = [update('a', 1, 1e30, 0), update('b', 1, -1e30, 0), update('c', 1, 3, 0)]
    for (const arrived of [
      [a, b, c],
      [a, c, b],
      [b, a, c],
      [b, c, a],
      [c, a, b],
      [c, b, a],
    ])
      expect(valuesOf((await run([0, 0], arrived)).model)).toEqual([1, 0])
  })

  it('is a canonical model file with the new version and the rest of the metadata', async () => {
    const { model } = await run([1, 2, 3], [update('a', 1, 0, 0, 0)])
    expect(model).toEqual(fileOf([1, 2, 3], { format: 'entente-model-1', version: 'v1.1-round-1' }))
  })

  it('says how far the model moved', async () => {
    // delta = (3, 4, 0), lr 0.5: ||delta|| = 5, step 2.5; ||w_old|| = 10
    const strategy = configOf({ strategy: { name: 'fedavg', serverLearningRate: 0.5 } }).strategy
    const { norms } = await run([6, 8, 0], [update('a', 1, 3, 4, 0)], { strategy })
    expect(norms).toEqual({ normDifference: 2.5, gradientNorm: 5, convergence: 0.25 })
  })
})

describe('the state of a strategy', () => {
  const rounds: Update[][] = [
    [update('a', 1, 2, -1, 0.5, 3), update('b', 2, 1, 1, 1, -1)],
    [update('a', 1, -1, 0.25, 4, 2), update('b', 2, 0, 1, -1, 1)],
  ]

  it.each(['fedavgm', 'fedadam', 'fedyogi', 'fedadagrad'])(
    '%s carries on from its file as it would from memory',
    async (name) => {
      const strategy = strategyOf(name)
      const [weights, delta] = [new Float32Array([1, 2, 3, 4]), new Float32Array(4)]
      const state = STRATEGIES[strategy.name].initialState(strategy).map((value) => new Float32Array(4).fill(value))
      let files: { base: readonly number[]; state: TensorReader | null } = { base: [...weights], state: null }
      for (const updates of rounds) {
        const outcome = await run(files.base, updates, { strategy, state: files.state, chunkElements: 3 })
        files = { base: valuesOf(outcome.model), state: await openTensors(memoryFile(outcome.state)) }
        delta.forEach((_value, i) => {
          delta[i] = updates.reduce((sum, one) => sum + one.sampleCount * (one.values[i] ?? 0), 0) / 3
        })
        STRATEGIES[strategy.name].apply({ weights, delta, previous: undefined, state }, strategy)
        expect(valuesOf(outcome.model)).toEqual([...weights])
      }
    },
  )

  it('is not written for a strategy that has none', async () => {
    expect((await run([1, 2], [update('a', 1, 1, 1)])).state).toHaveLength(0)
  })

  it('of another strategy or another model is refused', async () => {
    const adam = await run([1, 2, 3], [update('a', 1, 1, 1, 1)], { strategy: strategyOf('fedadam') })
    const state = await openTensors(memoryFile(adam.state))
    const yogi = run([1, 2, 3], [update('a', 1, 1, 1, 1)], { strategy: strategyOf('fedyogi'), state })
    await expect(yogi).rejects.toMatchObject({ code: 'model-invalid' })
    const larger = run([1, 2, 3, 4], [update('a', 1, 1, 1, 1, 1)], { strategy: strategyOf('fedadam'), state })
    await expect(larger).rejects.toMatchObject({ code: 'model-invalid' })
  })
})

describe('a hostile or broken update cannot reach the model', () => {
  const honest = update('a', 10, 1, 1, 1)

  it.each([1e12, -1, 1.5, 1_000_001, Number.NaN])('with the sample count %d', async (sampleCount) => {
    await expect(run([0, 0, 0], [honest, update('b', sampleCount, 1, 1, 1)])).rejects.toMatchObject({
      code: 'sample-count-invalid',
    })
  })

  it('with a sample count of zero beside others', async () => {
    await expect(run([0, 0, 0], [honest, update('b', 0, 1, 1, 1)])).rejects.toMatchObject({
      code: 'sample-count-invalid',
    })
  })

  it('with weights that cancel: a negative count is refused before anything is summed', async () => {
    await expect(run([0, 0, 0], [honest, update('b', -10, 1, 1, 1)])).rejects.toMatchObject({
      code: 'sample-count-invalid',
    })
  })

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])('with %d anywhere', async (value) => {
    for (const at of [0, 1, 2]) {
      const values = [1, 1, 1].with(at, value)
      await expect(run([0, 0, 0], [honest, update('b', 1, ...values)])).rejects.toMatchObject({ code: 'not-finite' })
    }
  })

  it('with other shapes', async () => {
    await expect(run([0, 0, 0], [honest, update('b', 1, 1, 1, 1, 1)])).rejects.toMatchObject({ code: 'wrong-shape' })
  })

  it('and a step out of the range of float32 is refused, not stored as infinity', async () => {
    const strategy = configOf({ strategy: { name: 'fedavg', serverLearningRate: 10 } }).strategy
    await expect(run([3e38, 0, 0], [update('a', 1, 3e38, 0, 0)], { strategy })).rejects.toMatchObject({
      code: 'not-finite',
    })
  })

  it('nothing, or a total weight of zero, is nothing to aggregate', async () => {
    await expect(run([0, 0, 0], [])).rejects.toMatchObject({ code: 'nothing-to-aggregate' })
    await expect(run([0, 0, 0], [update('a', 0, 1, 1, 1), update('b', 0, 1, 1, 1)])).rejects.toMatchObject({
      code: 'nothing-to-aggregate',
    })
  })
})

describe('streaming', () => {
  it('reads every update once, and no range larger than a chunk', async () => {
    const values = Array.from({ length: 20 }, (_, i) => i)
    const sizes: number[] = []
    const reader = await updateReader(values)
    const watched: TensorReader = {
      ...reader,
      read: (offset, into) => (sizes.push(into.length), reader.read(offset, into)),
    }
    await run(values, [], { updates: [{ organisation: 'a', sampleCount: 1, reader: watched }], chunkElements: 6 })
    expect(sizes).toEqual([24, 24, 24, 8])
  })

  it('reads the next range while it waits for or works on this one, never more than two groups of four at a time', async () => {
    let [reading, most, done] = [0, 0, 0]
    const reader = await updateReader([1, 2, 3, 4])
    const watched: TensorReader = {
      ...reader,
      async read(offset, into) {
        most = Math.max(most, ++reading - done)
        await reader.read(offset, into)
        await new Promise((resolve) => setTimeout(resolve, 1))
        done++
      },
    }
    const updates = [...'abcdefghi'].map((organisation) => ({ organisation, sampleCount: 1, reader: watched }))
    await run([0, 0, 0, 0], [], { updates, chunkElements: 2 })
    expect(done).toBe(18)
    expect(most).toBe(8)
  })

  it('a read that fails ends the aggregation with its error, and nothing is left reading', async () => {
    const reader = await updateReader([1, 2, 3, 4])
    let open = 0
    const failing: TensorReader = {
      ...reader,
      async read(offset, into) {
        open++
        await new Promise((resolve) => setTimeout(resolve, 1))
        open--
        if (offset > reader.header.dataOffset) throw new Error('disk')
        await reader.read(offset, into)
      },
    }
    const updates = ['a', 'b'].map((organisation) => ({ organisation, sampleCount: 1, reader: failing }))
    await expect(run([0, 0, 0, 0], [], { updates, chunkElements: 2 })).rejects.toThrow('disk')
    expect(open).toBe(0)
  })
})
