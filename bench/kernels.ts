/**
 * The kernels beside NumPy and PyTorch in one run, each on one thread: matrix products, and training steps of a perceptron
 * and of GraphSAGE.
 */

import { prng } from '../src/base/prng.ts'
import type { Kernels } from '../src/models/kernels/kernels.ts'
import { startKernelThreads } from '../src/node/kernel-threads.ts'
import { loadKernels } from '../src/node/kernels.ts'
import { benchAccelerator } from './accelerator.ts'
import { createGraphSage, GRAPH } from './graph-sage.ts'
import { createPerceptron } from './kernels-perceptron.ts'
import { type Python, type PythonJob, startPython } from './kernels-python.ts'
import { perRepeat, perRepeatByClock, TIMES } from './kernels-timing.ts'
import type { TrainingStep } from './kernels-training.ts'
import { type Contender, sideBySide, type Timing } from './measure.ts'
import { duration, type Row, rate, type Section, skipped } from './report.ts'

const SIZES = [
  [512, 512, 512],
  [1024, 1024, 1024],
  [1024, 64, 256],
  [1024, 256, 256],
  [10_000, 64, 64],
  [20_000, 32, 16],
] as const
type Size = (typeof SIZES)[number]
const PRODUCTS = 10
const STEPS = 5

export async function benchKernels(seed: string, runs: number): Promise<Section[]> {
  const python = await startPython()
  try {
    return [
      await benchProducts(seed, runs, python),
      await benchSteps(seed, runs, python),
      await benchAccelerator(seed, runs),
    ]
  } finally {
    python?.close()
  }
}

const YARDSTICKS = [
  ['NumPy', 'numpy'],
  ['PyTorch', 'torch'],
] as const

const CONTENDERS = [['kernels', 'kernels'], ['kernels on two threads', 'threads'], ...YARDSTICKS] as const

function contender(python: Python | undefined, job: PythonJob): Contender | undefined {
  return python?.versions[job.library] === undefined ? undefined : () => python.run(job)
}

const versionsOf = (python: Python | undefined): string =>
  YARDSTICKS.map(([name, library]) => `${name} ${python?.versions[library] ?? 'missing'}`).join(', ')

async function benchProducts(seed: string, runs: number, python: Python | undefined): Promise<Section> {
  const rows: Row[] = []
  const two = startKernelThreads(2)
  for (const size of SIZES) {
    const contenders = {
      kernels: perRepeat(product(loadKernels(), size, seed), PRODUCTS),
      threads: perRepeatByClock(product(two.kernels, size, seed), PRODUCTS),
      ...Object.fromEntries(
        YARDSTICKS.map(([, library]) => [
          library,
          contender(python, { library, what: 'product', size, repeats: PRODUCTS }),
        ]),
      ),
    }
    const timings: Record<string, Timing | undefined> = await sideBySide(contenders, runs)
    const [m, k, n] = size
    const flops = (2 * m * k * n) / 1e9
    for (const [name, key] of CONTENDERS) {
      const timing = timings[key]
      if (timing !== undefined) rows.push(rate(`${size.join(' x ')}, ${name}`, flops, 'GFLOP', timing))
    }
  }
  await two.close()
  const setting = `float32, m x k x n; ${PRODUCTS} products a run; the kernels in strict SIMD of 128 bits without fused multiply-add; ${TIMES}; ${versionsOf(python)}; seed ${seed}`
  return { title: 'Kernels: matrix product', setting, rows }
}

function product({ raw, arena, scratch }: Kernels, [m, k, n]: Size, seed: string): () => void {
  const random = prng(`bench/gemm/${seed}`)
  const [a = 0, b = 0, c = 0] = [m * k, k * n, m * n].map((length) => arena.allocate(length * 4))
  for (const [offset, length] of [
    [a, m * k],
    [b, k * n],
  ] as const) {
    const values = arena.float32(offset, length)
    for (let i = 0; i < length; i++) values[i] = random.uniform() - 0.5
  }
  return () => raw.gemm(a, k, 1, b, n, 1, c, m, n, k, 0, scratch)
}

interface Step {
  readonly name: string
  readonly create: (kernels: Kernels) => TrainingStep
  readonly jobs: readonly (readonly [string, PythonJob])[]
}

function steps(seed: string): Step[] {
  const job = (library: 'numpy' | 'torch', what: 'perceptron' | 'sage', variant?: string): PythonJob => ({
    library,
    what,
    repeats: STEPS,
    ...(variant === undefined ? {} : { variant }),
  })
  return [
    {
      name: 'Perceptron',
      create: (kernels) => createPerceptron(kernels, seed),
      jobs: [
        ['NumPy', job('numpy', 'perceptron')],
        ['PyTorch', job('torch', 'perceptron')],
      ],
    },
    {
      name: 'GraphSAGE',
      create: (kernels) => createGraphSage(kernels, GRAPH, seed),
      jobs: [
        ['NumPy, reduceat', job('numpy', 'sage')],
        ['PyTorch, sparse CSR', job('torch', 'sage', 'csr')],
        ['PyTorch, index_add', job('torch', 'sage', 'index_add')],
      ],
    },
  ]
}

async function benchSteps(seed: string, runs: number, python: Python | undefined): Promise<Section> {
  const rows: Row[] = []
  const two = startKernelThreads(2)
  for (const { name, create, jobs } of steps(seed)) {
    const [ours, together] = [create(loadKernels()), create(two.kernels)]
    const contenders = {
      ours: perRepeat(() => ours.step(), STEPS),
      together: perRepeatByClock(() => together.step(), STEPS),
      ...Object.fromEntries(jobs.map(([label, job]) => [label, contender(python, job)])),
    }
    const timings: Record<string, Timing | undefined> = await sideBySide(contenders, runs)
    const own = timings['ours']
    if (own !== undefined) rows.push(duration(`${name}, kernels`, own))
    rows.push(beside(`${name}, kernels on two threads`, timings['together'], own))
    for (const [label] of jobs) rows.push(beside(`${name}, ${label}`, timings[label], own))
  }
  await two.close()
  const setting = `forward, backward and Adam, ${STEPS} steps a run, ${TIMES}; perceptron 64-256-256-2 on 1024 rows; GraphSAGE with two layers of ${GRAPH.width} on ${GRAPH.nodes} nodes and ${GRAPH.edges} edges; ${versionsOf(python)}; seed ${seed}`
  return { title: 'Kernels: training steps', setting, rows }
}

function beside(name: string, timing: Timing | undefined, own: Timing | undefined): Row {
  if (timing === undefined || own === undefined) return skipped(name, 'not installed; see bench/kernels-venv.ts')
  return duration(name, timing, `${(timing.median / own.median).toFixed(2)} times the kernels`)
}
