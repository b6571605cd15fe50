/** Dense matrix product of the kernels, in the sizes that training uses and one square. */

import { prng } from '../src/base/prng.ts'
import { loadKernels } from '../src/node/kernels.ts'
import { sideBySide } from './measure.ts'
import { rate, type Section } from './report.ts'

const SIZES = [
  [512, 512, 512],
  [1024, 64, 256],
  [1024, 256, 256],
  [10_000, 64, 64],
] as const
const REPEATS = 10

export async function benchKernels(seed: string, runs: number): Promise<Section> {
  const contenders = Object.fromEntries(SIZES.map((size) => [size.join(' x '), product(size, seed)]))
  const timings = await sideBySide(contenders, runs)
  const rows = SIZES.flatMap((size) => {
    const timing = timings[size.join(' x ')]
    const [m, k, n] = size
    return timing === undefined ? [] : [rate(size.join(' x '), (2 * m * k * n * REPEATS) / 1e9, 'GFLOP', timing)]
  })
  const setting = `float32, strict SIMD, one thread; m x k x n; each run is ${REPEATS} products; seed ${seed}`
  return { title: 'Kernels: matrix product', setting, rows }
}

function product([m, k, n]: (typeof SIZES)[number], seed: string): () => void {
  const { raw, arena, scratch } = loadKernels()
  const random = prng(`bench/gemm/${seed}`)
  const [a, b, c] = [m * k, k * n, m * n].map((length) => arena.allocate(length * 4)) as [number, number, number]
  for (const [offset, length] of [
    [a, m * k],
    [b, k * n],
  ] as const) {
    const values = arena.float32(offset, length)
    for (let i = 0; i < length; i++) values[i] = random.uniform() - 0.5
  }
  return () => {
    for (let repeat = 0; repeat < REPEATS; repeat++) raw.gemm(a, k, 1, b, n, 1, c, m, n, k, 0, scratch)
  }
}
