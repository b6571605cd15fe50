import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { sha256Hex } from '../base/hash.ts'
import { prng } from '../base/prng.ts'
import { sortingNetwork } from '../learning/robust/network.ts'
import type { Kernels } from '../models/kernels/kernels.ts'
import { createModel } from '../models/model.ts'
import { type KernelThreads, startKernelThreads } from './kernel-threads.ts'
import { loadKernels } from './kernels.ts'

const one = startKernelThreads(1)
const two = startKernelThreads(2)
const three = startKernelThreads(3)
afterAll(async () => {
  await Promise.all([one.close(), two.close(), three.close()])
})
const all: readonly Kernels[] = [loadKernels(), one.kernels, two.kernels, three.kernels]

/** Expects the same bytes from kernels without threads and with one, two and three. */
function same(work: (kernels: Kernels) => Float32Array): void {
  const digests = all.map((kernels) => sha256Hex(new Uint8Array(work(kernels).slice().buffer)))
  expect(new Set(digests).size).toBe(1)
}

function place({ arena }: Kernels, length: number, seed: string): number {
  const random = prng(seed)
  const offset = arena.allocate(4 * length)
  const values = arena.float32(offset, length)
  for (let i = 0; i < length; i++) values[i] = random.uniform() - 0.5
  return offset
}

interface Product {
  readonly m: number
  readonly n: number
  readonly k: number
  readonly transposed: boolean
  readonly add: boolean
}

function product(kernels: Kernels, { m, n, k, transposed, add }: Product): Float32Array {
  const { raw, arena, scratch } = kernels
  const offsets = [place(kernels, m * k, 'a'), place(kernels, k * n, 'b'), place(kernels, m * n, 'c')] as const
  const [a, b, c] = offsets
  raw.gemm(a, transposed ? 1 : k, transposed ? m : 1, b, n, 1, c, m, n, k, add ? 1 : 0, scratch)
  const out = arena.float32(c, m * n).slice()
  for (const offset of offsets) arena.release(offset)
  return out
}

describe('one, two and three threads give the bits of kernels without threads', () => {
  it('in products of many rows, and in long sums', () => {
    const shape = fc.constantFrom(
      { m: 2000, n: 24, k: 40 },
      { m: 700, n: 70, k: 64 },
      { m: 40, n: 36, k: 3000 },
      { m: 7, n: 300, k: 1025 },
      { m: 5000, n: 1, k: 300 },
      { m: 300, n: 1, k: 5000 },
    )
    fc.assert(
      fc.property(shape, fc.boolean(), fc.boolean(), (size, transposed, add) =>
        same((kernels) => product(kernels, { ...size, transposed, add })),
      ),
      { numRuns: 24 },
    )
  })

  it('in operators that treat rows or values one by one', () => {
    same((kernels) => {
      const { raw, arena } = kernels
      const [rows, columns] = [3001, 33]
      const n = rows * columns
      const [x, g, gain, bias] = ['x', 'g', 'gain', 'bias'].map((seed) => place(kernels, n, seed)) as [
        number,
        number,
        number,
        number,
      ]
      const [y, stats] = [arena.allocate(4 * n), arena.allocate(8 * rows)]
      raw.layerNorm(x, gain, bias, y, stats, rows, columns, 1e-5)
      raw.gelu(y, x, n)
      raw.geluBackward(g, y, g, n)
      raw.biasRelu(x, bias, rows, columns, 1)
      raw.reluBackward(g, x, n)
      raw.softmax(g, y, rows, columns)
      raw.softmaxBackward(x, y, x, rows, columns)
      raw.adam(x, bias, g, y, n, 0.1, 0.9, 0.99, 1e-8, 1)
      raw.tanhOf(x, y, n)
      raw.sigmoidOf(y, y, n)
      raw.timeEncoding(stats, gain, g, rows, columns)
      raw.addOf(g, y, y, n)
      const out = arena.float32(y, n).slice()
      for (const offset of [x, g, gain, bias, y, stats]) arena.release(offset)
      return out
    })
  })

  it('in the training of a model of the product', () => {
    const random = prng('threads/model')
    const rows = 3000
    const features = Float32Array.from({ length: rows * 40 }, () => random.uniform() - 0.5)
    const labels = Uint8Array.from({ length: rows }, () => random.below(2))
    const data = { rows, width: 40, features, labels }
    const options = {
      epochs: 1,
      batchSize: 1024,
      learningRate: 1e-2,
      optimiser: 'adam',
      proximalMu: 0,
      seed: 't',
    } as const
    same((kernels) => {
      const model = createModel({ kind: 'mlp', inputs: 40, hidden: [64, 48] }, kernels)
      return model.train(model.initialise('threads'), data, options).parameters
    })
  })
})

describe('blocks of updates in threads', () => {
  const [length, inputs] = [6_144, 23]
  const sort = sortingNetwork(inputs)

  /** Distances, a mean of sorted values, one around the median and a sum, over updates and over mixtures of them. */
  async function statistics({ rows }: Kernels): Promise<Float32Array> {
    const block = rows(length, inputs, inputs)
    const random = prng('threads/rows')
    for (const count of [length, length - 7]) {
      for (const input of block.inputs) for (let i = 0; i < length; i++) input[i] = random.uniform() - 0.5
      block.turn()
      await block.addPairDistances(count)
    }
    const means = [0, 1, 2, 3].map(() => new Float32Array(length))
    const [middle, near, mixed, sum] = means as [Float32Array, Float32Array, Float32Array, Float32Array]
    await block.mix(null)
    const remote = new Float64Array(inputs)
    await block.sortedMean(sort, 5, 18, middle, remote)
    await block.sortedMean(sort, 5, 18, middle)
    await block.windowMean(sort, 9, near)
    await block.weightedSum(
      block.inputs.map((_, i) => 1 / (i + 3)),
      sum,
    )
    await block.mix(Float32Array.from({ length: inputs ** 2 }, () => random.uniform()))
    await block.sortedMean(sort, 11, 12, mixed)
    const upper = block.pairDistances().filter((_, at) => at % (inputs + 1) > Math.floor(at / (inputs + 1)))
    block.release()
    return Float32Array.of(
      ...new Float32Array(Float64Array.of(...upper, ...remote).buffer),
      ...middle,
      ...near,
      ...mixed,
      ...sum,
    )
  }

  it('have the statistics and distances of blocks without threads, bit for bit', async () => {
    const digests = new Set<string>()
    for (const kernels of all) digests.add(sha256Hex(new Uint8Array((await statistics(kernels)).buffer)))
    expect(digests.size).toBe(1)
  })

  it('give their memory back, round after round', async () => {
    const { arena } = two.kernels
    const before = arena.bytesInUse
    for (let round = 0; round < 50; round++) await statistics(two.kernels)
    expect(arena.bytesInUse).toBe(before)
  })
})

describe('threads of the kernels', () => {
  it('take their pieces from thousands of short calls without losing or repeating one', () => {
    const { raw, arena } = two.kernels
    const n = 80_000
    const x = arena.allocate(4 * n)
    arena.float32(x, n).fill(1)
    const zero = arena.allocate(4)
    arena.float32(zero, 1).fill(1)
    for (let call = 0; call < 3000; call++) raw.biasRelu(x, zero, n, 1, 0)
    expect(new Set(arena.float32(x, n))).toEqual(new Set([3001]))
    arena.release(x)
    arena.release(zero)
  })

  it('are refused in numbers that are none', () => {
    for (const threads of [0, -1, 1.5, 1000])
      expect(() => startKernelThreads(threads)).toThrow(expect.objectContaining({ code: 'invalid-request' }))
  })

  /** Values that two threads would share for some milliseconds. */
  async function squares({ kernels }: KernelThreads): Promise<void> {
    const block = kernels.rows(16_384, 40, 0)
    block.turn()
    await block.addPairDistances(16_384)
    block.release()
  }

  it('fail a call with `unavailable` when one of them dies over its piece, and every later call', async () => {
    // Takes a piece of the first call that it can, and dies over it.
    const dying = `
      import { workerData } from 'node:worker_threads'
      const words = new Int32Array(workerData.board, 0, 8)
      for (;;) {
        const ticket = Atomics.load(words, 1)
        if ((ticket & 0xffff) >= Atomics.load(words, 3)) continue
        if (Atomics.compareExchange(words, 1, ticket, ticket + 1) === ticket) throw new Error('out of memory')
      }`
    const threads = startKernelThreads(2, new URL(`data:text/javascript,${encodeURIComponent(dying)}`))
    const gone = { code: 'unavailable', message: expect.stringContaining('a thread of the kernels ended') }
    const untilOneDies = async (): Promise<void> => {
      for (;;) await squares(threads)
    }
    await expect(untilOneDies()).rejects.toMatchObject(gone)
    await expect(squares(threads)).rejects.toMatchObject(gone)
    await threads.close()
  })

  it('fail what is under way when they are closed', async () => {
    const threads = startKernelThreads(2)
    await squares(threads)
    const working = expect(squares(threads)).rejects.toMatchObject({ code: 'unavailable' })
    await threads.close()
    await working
  })
})
