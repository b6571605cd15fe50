/**
 * `node bench/robust.ts [--parameters 100000] [--runs 3] [--seed 1]`: robust rules over a hundred updates in memory, beside
 * NumPy where python3 has it (all its threads) and the figures of Flower and ByzFL that peers.md gives.
 */

import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import { prng } from '../src/base/prng.ts'
import { aggregate } from '../src/learning/aggregate.ts'
import { strategyConfigSchema } from '../src/learning/config.ts'
import { type RobustConfig, robustConfigSchema } from '../src/learning/robust/config.ts'
import { openTensors, type TensorReader } from '../src/learning/tensor-reader.ts'
import { encodeSafetensors } from '../src/models/formats/safetensors.ts'
import { loadKernels } from '../src/node/kernels.ts'
import { summarise } from './measure.ts'
import { currentLoad } from './report.ts'

const { values } = parseArgs({
  options: {
    parameters: { type: 'string', default: '100000' },
    runs: { type: 'string', default: '3' },
    seed: { type: 'string', default: '1' },
    chunk: { type: 'string' },
    only: { type: 'string' },
    'no-numpy': { type: 'boolean', default: false },
  },
})
const [parameters, runs] = [Number(values.parameters), Number(values.runs)]
const COUNT = 100
/** As the figure of Flower's Bulyan has it. */
const F = 24
const kernels = loadKernels()

/** Milliseconds that design/peers.md gives for n = 100 (single runs on two cores): the faster of Flower and ByzFL. */
const PEERS: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  'median': { 100_000: 'ByzFL 129', 1_000_000: 'Flower 2998' },
  'trimmed-mean': { 100_000: 'ByzFL 34', 1_000_000: 'Flower 1716' },
  'krum': { 100_000: 'Flower 413', 1_000_000: 'Flower 7072' },
  'multi-krum': { 100_000: 'ByzFL 1008' },
  'geometric-median': { 100_000: 'ByzFL 117' },
  'bulyan': { 100_000: 'Flower 10814' },
  'nearest-neighbours + median': { 100_000: 'ByzFL 4735' },
}

const vectors = makeVectors()
const readers = await Promise.all(vectors.map((one) => readerOf(one)))
const base = await readerOf(new Float32Array(parameters))

function makeVectors(): Float32Array[] {
  const random = prng(`bench/robust/${values.seed}`)
  const direction = Float32Array.from({ length: parameters }, () => random.uniform() - 0.5)
  return Array.from({ length: COUNT }, (_, i) =>
    direction.map((value) => (i < F ? -value : value) + random.uniform() - 0.5),
  )
}

async function readerOf(weights: Float32Array): Promise<TensorReader> {
  const file = encodeSafetensors(new Map([['w', { shape: [parameters], values: weights }]]), { format: 'bench' })
  return openTensors({
    size: file.length,
    read: async (offset, into) => into.set(file.subarray(offset, offset + into.length)),
  })
}

async function run(robust: RobustConfig): Promise<number> {
  const since = performance.now()
  await aggregate({
    base,
    previous: null,
    state: null,
    updates: readers.map((reader, i) => ({ organisation: String(i).padStart(3, '0'), sampleCount: 1, reader })),
    strategy: strategyConfigSchema.parse({ name: 'fedavg' }),
    robust,
    sampleCountMax: 1,
    version: 'bench',
    kernels,
    writeModel: async () => undefined,
    writeState: async () => undefined,
    ...(values.chunk === undefined ? {} : { chunkElements: Number(values.chunk) }),
  })
  return performance.now() - since
}

async function numpy(): Promise<Readonly<Record<string, number>>> {
  if (values['no-numpy']) return {}
  const directory = await mkdtemp(join(tmpdir(), 'entente-robust-'))
  try {
    const file = join(directory, 'x.f32')
    await writeFile(file, Buffer.concat(vectors.map((one) => Buffer.from(one.buffer))))
    const program = fileURLToPath(new URL('numpy_robust.py', import.meta.url))
    const parts = [program, file, COUNT, parameters, F, Math.min(runs, 2)].map(String)
    const { stdout } = await promisify(execFile)('python3', parts)
    return JSON.parse(stdout) as Record<string, number>
  } catch {
    console.log('NumPy: skipped, python3 has none here')
    return {}
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

const of = (config: Partial<RobustConfig>): RobustConfig => robustConfigSchema.parse({ f: F, ...config })
const CONTENDERS: Readonly<Record<string, RobustConfig>> = {
  'mean': of({ rule: 'none' }),
  'median': of({ rule: 'median' }),
  'trimmed-mean': of({ rule: 'trimmed-mean' }),
  'krum': of({ rule: 'krum' }),
  'multi-krum': of({ rule: 'multi-krum' }),
  'geometric-median': of({ rule: 'geometric-median' }),
  'centered-clipping': of({ rule: 'centered-clipping' }),
  'norm-bound': of({ rule: 'norm-bound' }),
  'bulyan': of({ rule: 'bulyan' }),
  'buckets + median': of({ rule: 'median', mixing: 'buckets' }),
  'nearest-neighbours + median': of({ rule: 'median', mixing: 'nearest-neighbours' }),
}

console.log(`n = ${COUNT}, d = ${parameters.toLocaleString('en')}, f = ${F}; ${JSON.stringify(currentLoad())}\n`)
const reference = await numpy()
console.log('| rule | ms (fastest - slowest) | processor ms | NumPy here | peers.md |\n|---|---|---|---|---|')
for (const [name, config] of Object.entries(CONTENDERS)) {
  if (values.only !== undefined && !values.only.split(',').includes(name)) continue
  await run(config)
  const durations: number[] = []
  const before = process.cpuUsage()
  for (let i = 0; i < runs; i++) durations.push(await run(config))
  // What the rule takes when nobody else is on the machine: a busy one stretches the other column.
  const { user, system } = process.cpuUsage(before)
  const processor = ((user + system) / 1000 / runs).toFixed(0)
  const { median, fastest, slowest } = summarise(durations)
  const own = `${median.toFixed(0)} (${fastest.toFixed(0)} - ${slowest.toFixed(0)})`
  console.log(
    `| ${name} | ${own} | ${processor} | ${reference[name]?.toFixed(0) ?? '-'} | ${PEERS[name]?.[parameters] ?? '-'} |`,
  )
}
