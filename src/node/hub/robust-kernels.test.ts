import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { prng } from '../../base/prng.ts'
import { configOf } from '../../learning/learning.suite.ts'
import type { RobustRuleName } from '../../learning/robust/config.ts'
import type { RoundEffect } from '../../learning/round-state.ts'
import type { TensorReader } from '../../learning/tensor-reader.ts'
import { updateMetadata } from '../../learning/validate-update.ts'
import { encodeSafetensors } from '../../models/formats/safetensors.ts'
import { openFileBlobs } from '../blobs/files.ts'
import { loadKernels } from '../kernels.ts'
import type { Blobs } from '../ports.ts'
import { openBlobTensors } from '../tensors.ts'
import { aggregateRound } from './aggregate.ts'
import type { HubContext } from './identity.ts'
import { THREADS_FROM, withRobustKernels } from './robust-kernels.ts'

type Aggregate = Extract<RoundEffect, { type: 'aggregate' }>

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f', 'liar']
const LENGTH = Math.ceil(THREADS_FROM / NAMES.length) + 5
const kernels = loadKernels()
let directory: string
let blobs: Blobs
let base: string
let previous: string
let updates: string[]

async function store(values: Float32Array, metadata: Record<string, string>): Promise<string> {
  const writer = await blobs.create()
  await writer.write(encodeSafetensors(new Map([['w', { shape: [LENGTH], values }]]), metadata))
  return (await writer.commit()).digest
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'entente-robust-'))
  blobs = await openFileBlobs(directory)
  const random = prng('robust threads')
  const drawn = (scale: number): Float32Array =>
    Float32Array.from({ length: LENGTH }, () => scale * (random.uniform() - 0.5))
  const model = { format: 'entente-model-1', version: 'v' }
  base = await store(drawn(1), model)
  previous = await store(drawn(1), model)
  updates = []
  for (const name of NAMES)
    updates.push(await store(drawn(name === 'liar' ? 50 : 1), updateMetadata(base as Aggregate['baseModel'])))
}, 60_000)
afterAll(() => rm(directory, { recursive: true, force: true }))

async function aggregated(rule: RobustRuleName, aggregationThreads: number, mixing = 'none') {
  const clock = { now: () => 0 }
  const context = { ports: { blobs, clock }, options: { kernels, aggregationThreads } } as unknown as HubContext
  const effect = {
    type: 'aggregate',
    roundId: 't-1',
    round: 1,
    baseModel: base,
    previousModel: previous,
    strategyState: null,
    config: configOf({ robust: { rule, f: 1, mixing }, round: { participantsMin: NAMES.length } }),
    contributions: NAMES.map((organisation, i) => ({
      organisation,
      sampleCount: 10,
      update: { digest: updates[i] ?? '', size: 1 },
      metrics: {},
    })),
  } as unknown as Aggregate
  return aggregateRound(context, effect)
}

describe('the hub on two threads', () => {
  it.each([
    ['median', 'none'],
    ['trimmed-mean', 'none'],
    ['krum', 'none'],
    ['multi-krum', 'none'],
    ['bulyan', 'none'],
    ['geometric-median', 'none'],
    ['centered-clipping', 'none'],
    ['norm-bound', 'none'],
    ['median', 'nearest-neighbours'],
  ] as const)(
    'seals the model and the report of one thread: %s, mixing %s',
    async (rule, mixing) => {
      const [one, two] = [await aggregated(rule, 1, mixing), await aggregated(rule, 2, mixing)]
      expect(two).toMatchObject({ type: 'aggregated', robust: { rule } })
      expect(two).toEqual(one)
    },
    60_000,
  )

  it('has threads only for a robust rule over much, and only while it aggregates', async () => {
    const reader: TensorReader & { close(): Promise<void> } = await openBlobTensors(
      blobs,
      base as Aggregate['baseModel'],
    )
    const usesThreads = (rule: RobustRuleName, count: number, aggregationThreads?: number) =>
      withRobustKernels(
        { kernels, ...(aggregationThreads === undefined ? {} : { aggregationThreads }) },
        {
          robust: configOf({ robust: { rule, f: 1 }, round: { participantsMin: 7 } }).robust,
          base: reader,
          updates: count,
        },
        async (given) => given !== kernels,
      )
    expect(await usesThreads('median', 7, 2)).toBe(true)
    expect(await usesThreads('median', 6, 2)).toBe(false)
    expect(await usesThreads('none', 7, 2)).toBe(false)
    expect(await usesThreads('median', 7, 1)).toBe(false)
    expect(await usesThreads('median', 7)).toBe(false)
    await reader.close()
  })
})
