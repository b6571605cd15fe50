import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sha256Hex } from '../base/hash.ts'
import { prng } from '../base/prng.ts'
import { createModel, type ModelSpec } from '../models/model.ts'
import {
  ATTACK,
  BENIGN,
  type DatasetInfo,
  type DatasetRow,
  encodeInfo,
  encodeRow,
  ROW_BYTES,
  SOURCE_EXTERNAL,
  STEALTHY,
} from '../telemetry/dataset.ts'
import { LINK_WIDTH, PAIR_WIDTH } from '../telemetry/graph/layout.ts'
import { evaluate } from './evaluate.ts'
import { loadKernels } from './kernels.ts'
import { createTrainer } from './trainer.ts'
import type { PrivateRequest, TrainRequest } from './training.ts'
import { createWorkerClient } from './worker-client.ts'

const WIDTH = 4
const ROWS = 20_000
const CUT = 12_000
const TECHNIQUES = ['', 'scan', 'exfiltration']
const spec: ModelSpec = { kind: 'mlp', inputs: WIDTH, hidden: [8] }
let root: string

/** A scan shows in feature 0, exfiltration in feature 1; one row a second. */
async function writeDataset(name: string): Promise<string> {
  const directory = await mkdtemp(join(root, `${name}-`))
  const random = prng(name)
  const features = new Float32Array(ROWS * WIDTH)
  const bytes = new Uint8Array(ROWS * ROW_BYTES)
  for (let i = 0; i < ROWS; i++) {
    const technique = random.uniform() < 0.9 ? 0 : 1 + random.below(2)
    for (let c = 0; c < WIDTH; c++) features[i * WIDTH + c] = random.uniform() + (technique === c + 1 ? 1 : 0)
    const row: DatasetRow = {
      time: i,
      sourceId: technique === 0 ? random.below(10) : 11,
      destinationId: random.below(10),
      minute: Math.floor(i / 60),
      technique,
      label: technique === 0 ? BENIGN : ATTACK,
      flags: technique === 0 ? 0 : STEALTHY | SOURCE_EXTERNAL,
      line: i + 1,
    }
    encodeRow(new DataView(bytes.buffer), i, row)
  }
  const info: DatasetInfo = {
    version: 1,
    rows: ROWS,
    featureNames: ['a', 'b', 'c', 'd'],
    techniques: TECHNIQUES,
    hosts: 12,
    labels: { benign: 0, attack: 0, unknown: 0, stealthy: 0 },
    techniqueRows: {},
    timeFirst: 0,
    timeLast: ROWS - 1,
    localNetworks: [],
    sources: [],
  }
  await writeFile(join(directory, 'dataset.json'), encodeInfo(info))
  await writeFile(join(directory, 'features.f32'), new Uint8Array(features.buffer))
  await writeFile(join(directory, 'rows.bin'), bytes)
  await writeFile(join(directory, 'hosts.txt'), '')
  return directory
}

const request = (overrides: Partial<TrainRequest> = {}): TrainRequest => ({
  spec,
  parameters: createModel(spec, loadKernels()).initialise('start'),
  epochs: 2,
  batchSize: 64,
  learningRate: 3e-3,
  optimiser: 'adam',
  proximalMu: 0,
  rowsMax: 5000,
  seed: 'round-1/bank-a',
  ...overrides,
})

const hashOf = (parameters: Float32Array): string => sha256Hex(new Uint8Array(parameters.buffer))

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'entente-trainer-'))
})
afterAll(() => rm(root, { recursive: true, force: true }))

describe('the trainer', () => {
  it('gives the same bytes for the same request, also in another thread, or on three (P7)', async () => {
    const data = { directory: await writeDataset('a'), trainUntil: CUT, families: 'all' as const }
    const [one, other] = [createTrainer(data), createTrainer({ ...data, threads: 3 })]
    const first = await one.train(request())
    const hashes = [first, await one.train(request()), await other.train(request())].map(({ parameters }) =>
      hashOf(parameters),
    )
    expect(new Set(hashes).size).toBe(1)
    expect(first.summary.sampleCount).toBe(5000)
    expect(first.summary.positives).toBeGreaterThan(500)
    expect(first.summary.loss).toBeGreaterThan(0)
    expect(hashOf((await one.train(request({ seed: 'round-2/bank-a' }))).parameters)).not.toBe(hashes[0])
    await Promise.all([one.close(), other.close()])
  })

  it('trains on no attack of a family that was not investigated', async () => {
    const trainer = createTrainer({ directory: await writeDataset('a'), trainUntil: CUT, families: [] })
    expect((await trainer.train(request())).summary.positives).toBe(0)
    await trainer.close()
  })

  it('answers errors of the thread with their codes, and lives on', async () => {
    const trainer = createTrainer({ directory: await writeDataset('a'), trainUntil: CUT, families: 'all' })
    const wide: ModelSpec = { ...spec, inputs: 5 }
    const parameters = createModel(wide, loadKernels()).initialise('x')
    await expect(trainer.train(request({ spec: wide, parameters }))).rejects.toMatchObject({ code: 'wrong-shape' })
    expect((await trainer.train(request())).parameters).toHaveLength(49)
    await trainer.close()
  })

  it('says that there is no data, or none before the cut', async () => {
    const none = createTrainer({ directory: join(root, 'nowhere'), trainUntil: null, families: 'all' })
    await expect(none.train(request())).rejects.toMatchObject({ code: 'not-found' })
    const early = createTrainer({ directory: await writeDataset('a'), trainUntil: -1, families: 'all' })
    await expect(early.train(request())).rejects.toMatchObject({ code: 'no-data' })
    await Promise.all([none.close(), early.close()])
  })

  it('fails with a retryable error when it is closed while it trains', async () => {
    const trainer = createTrainer({ directory: await writeDataset('a'), trainUntil: CUT, families: 'all' })
    const training = trainer.train(request({ epochs: 5000 }))
    const outcome = expect(training).rejects.toMatchObject({ code: 'unavailable', retryable: true })
    await new Promise((resolve) => setTimeout(resolve, 300))
    await trainer.close()
    await outcome
    await expect(trainer.train(request())).rejects.toMatchObject({ code: 'unavailable' })
  })
})

describe('a private training', () => {
  const privately = (secret: number, changes: Partial<PrivateRequest> = {}): PrivateRequest => ({
    steps: 12,
    samplingThreshold: 2 ** 29,
    clip: 1,
    clipSteps: 4096,
    deviation: 4500,
    rowsPerHost: 300,
    secret: new Uint8Array(32).fill(secret),
    ...changes,
  })

  it('gives the same bits for the same secret, in another process too, and other bits for another', async () => {
    const data = { directory: await writeDataset('a'), trainUntil: CUT, families: 'all' as const }
    const [one, other] = [createTrainer(data), createTrainer(data)]
    const first = await one.train(request({ privately: privately(1) }))
    const hashes = [first, await other.train(request({ privately: privately(1) }))].map((trained) =>
      hashOf(trained.parameters),
    )
    expect(hashes[0]).toBe(hashes[1])
    expect(hashOf((await one.train(request({ privately: privately(2) }))).parameters)).not.toBe(hashes[0])
    const mechanism = { samplingRate: 1 / 8, noiseMultiplier: 4500 / 4096, clip: 1, steps: 12 }
    expect(first.summary).toMatchObject({ mechanism, sampleCount: 11 * 300 })
    await Promise.all([one.close(), other.close()])
  })

  it('is refused for links, and where there are no labels: no other training takes its place', async () => {
    const graph = { features: WIDTH, pairFeatures: PAIR_WIDTH, linkFeatures: LINK_WIDTH, links: 2 }
    const tgnn: ModelSpec = { kind: 'tgnn', ...graph, timeDimensions: 4, width: 4, hidden: [4] }
    const parameters = createModel(tgnn, loadKernels()).initialise('x')
    const trainer = createTrainer({ directory: await writeDataset('a'), trainUntil: CUT, families: 'all' })
    const links = request({ spec: tgnn, parameters, objective: 'link', privately: privately(1) })
    await expect(trainer.train(links)).rejects.toMatchObject({ code: 'not-available' })
    const early = createTrainer({ directory: await writeDataset('a'), trainUntil: -1, families: 'all' })
    const unlabelled = request({ spec: tgnn, parameters, privately: privately(1) })
    await expect(early.train(unlabelled)).rejects.toMatchObject({ code: 'no-data' })
    await Promise.all([trainer.close(), early.close()])
  })
})

describe('a worker thread that dies', () => {
  const script = (source: string): URL => new URL(`data:text/javascript,${encodeURIComponent(source)}`)

  it('fails the calls under way with a retryable error, and the next call starts another', async () => {
    const dying = `import { parentPort, threadId } from 'node:worker_threads'
      parentPort.on('message', ({ id, request }) => {
        if (request === 'exit') process.exit(1)
        if (request === 'throw') throw new Error('defect')
        parentPort.postMessage({ id, type: 'done', result: threadId })
      })`
    const client = createWorkerClient(script(dying), undefined)
    const first = await client.call('hello')
    for (const death of ['exit', 'throw'])
      await expect(client.call(death)).rejects.toMatchObject({ code: 'unavailable', retryable: true })
    expect(await client.call('hello')).not.toBe(first)
    await client.close()
  })
})

describe('the evaluation', () => {
  it('shows what each gains: the federated model knows the family that only the other had labels of', async () => {
    const organisations = [
      { id: 'bank-a', directory: await writeDataset('a'), families: ['scan'] },
      { id: 'bank-b', directory: await writeDataset('b'), families: ['exfiltration'] },
    ]
    const local = {
      epochs: 4,
      batchSize: 64,
      learningRate: 3e-3,
      optimiser: 'adam',
      proximalMu: 0,
      rowsMax: 5000,
    } as const
    const everything = createTrainer({ directory: organisations[0]?.directory ?? '', trainUntil: CUT, families: 'all' })
    const { parameters } = await everything.train(request({ epochs: 12 }))
    await everything.close()
    const phases = new Set<string>()
    const evaluation = await evaluate({
      organisations,
      trainUntil: CUT,
      spec,
      federated: parameters,
      rounds: 3,
      local,
      seed: 'test',
      onProgress: ({ phase }) => phases.add(phase),
    })
    const { metrics } = evaluation
    expect([...phases]).toEqual(['training', 'scoring', 'measuring'])
    expect(evaluation.organisations['bank-a']).toMatchObject({
      rows: ROWS - CUT,
      labelledFamilies: ['scan'],
      othersFamilies: ['exfiltration'],
    })
    expect(metrics.federated.othersRecall).toBeGreaterThan(0.8)
    expect(metrics.local['bank-a']?.othersRecall).toBeLessThan(0.3)
    expect(metrics.centralised.auc).toBeGreaterThan(0.98)
    expect(metrics.federated.byOrganisation['bank-b']?.unique.auc).toBeGreaterThan(0.95)
    expect(metrics.oneBit.auc).toBe(1)
    expect(metrics.counter.auc).toBeGreaterThan(0.3)
    expect(metrics.localPooled?.auc).toBeLessThan(metrics.federated.auc ?? 0)
  })
})
