import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sha256Hex } from '../base/hash.ts'
import { prng, shuffle } from '../base/prng.ts'
import { createModel } from '../models/model.ts'
import type { Interaction } from '../telemetry/interaction.ts'
import { PAIR_WIDTH } from '../telemetry/graph/layout.ts'
import { DEFAULT_TGNN } from './default-model.ts'
import { openDataset, type OpenDataset } from './dataset-files.ts'
import { createRowSource } from './detect/row-source.ts'
import { ingest } from './ingest.ts'
import { loadKernels } from './kernels.ts'
import { gatherLinkMatrix } from './link-matrix.ts'
import { modelWidth, readModelRows } from './model-rows.ts'
import { createTrainer } from './trainer.ts'
import { gatherMatrix, selectRows, type TrainingMatrix } from './training-matrix.ts'

const ROWS = 3000
const CUT = 2000
const spec = { ...DEFAULT_TGNN, links: 4, width: 8, hidden: [8] }
const width = modelWidth(spec)
let root: string

/** One contact a second among thirty hosts, a scan among them. */
const traffic: readonly Interaction[] = Array.from({ length: ROWS }, (_, time) => {
  const random = prng(`traffic ${time}`)
  const scan = random.uniform() < 0.1
  const source = scan ? '203.0.113.7' : `10.0.0.${1 + random.below(20)}`
  const destination = scan ? `10.0.0.${1 + random.below(200)}` : `10.0.1.${1 + random.below(10)}`
  return {
    time,
    source,
    destination,
    kind: 'flow',
    label: scan ? 'attack' : 'benign',
    ...(scan && { technique: 'scan' }),
  }
})

async function datasetOf(interactions: readonly Interaction[]): Promise<OpenDataset & { readonly directory: string }> {
  const directory = await mkdtemp(join(root, 'set-'))
  const path = join(directory, 'log.jsonl')
  await writeFile(path, interactions.map((one) => `${JSON.stringify(one)}\n`).join(''))
  const target = join(directory, 'set')
  const quarantineDirectory = join(directory, 'quarantine')
  await ingest({ paths: [path], format: 'auto', localNetworks: ['10.0.0.0/8'], directory: target, quarantineDirectory })
  return { ...(await openDataset(target)), directory: target }
}

/** Of the bits; a difference between whole matrices would take minutes to print. */
const digestOf = (values: Float32Array | undefined): string =>
  sha256Hex(new Uint8Array(values?.buffer ?? new ArrayBuffer(0)))

/** Rows 0 to count - 1 as the model reads them. */
async function rowsOf(dataset: OpenDataset, count: number): Promise<Float32Array> {
  const all = new Float32Array(count * width)
  const selected = Uint32Array.from({ length: count }, (_, row) => row)
  await readModelRows(dataset, spec, selected, (rows, from, n) => all.set(rows.subarray(0, n * width), from * width))
  await dataset.close()
  return all
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'entente-rows-'))
})
afterAll(() => rm(root, { recursive: true, force: true }))

function rowOf({ features }: TrainingMatrix, row: number): Float32Array {
  const values = new Float32Array(width)
  features.read(row * width, values)
  return values
}

describe('rows of a temporal graph network', () => {
  it('are the same bits from a stored data set and from a stream', async () => {
    const stored = await rowsOf(await datasetOf(traffic), ROWS)
    const stream = createRowSource(spec, ['10.0.0.0/8'])
    const streamed = new Float32Array(ROWS * width)
    traffic.forEach((interaction, row) => stream.push(interaction, streamed, row * width))
    expect(digestOf(streamed)).toBe(digestOf(stored))
  })

  it('do not look ahead: a cut or shuffled future leaves every score its bits', async () => {
    const order = Uint32Array.from({ length: ROWS - CUT }, (_, i) => CUT + i)
    shuffle(order, prng('future'))
    // The clock goes on as before; who meets whom is another order.
    const shuffled = traffic.map((one, row) =>
      row < CUT ? one : { ...(traffic[order[row - CUT] ?? 0] as Interaction), time: row },
    )
    const model = createModel(spec, loadKernels())
    const parameters = model.initialise('scores')
    const [whole, cut, other] = await Promise.all(
      [traffic, traffic.slice(0, CUT), shuffled].map(async (of) =>
        model.score(parameters, await rowsOf(await datasetOf(of), CUT), CUT),
      ),
    )
    expect([cut, other].map(digestOf)).toEqual([digestOf(whole), digestOf(whole)])
    expect(new Set(whole).size).toBeGreaterThan(CUT / 2)
  })

  it('are refused when the model was made for other columns', async () => {
    const dataset = await datasetOf(traffic.slice(0, 10))
    const other = { ...spec, linkFeatures: spec.linkFeatures + 1 }
    await expect(readModelRows(dataset, other, Uint32Array.of(1), () => undefined)).rejects.toMatchObject({
      code: 'wrong-shape',
    })
    await dataset.close()
  })

  it('of a selection are those rows and no others', async () => {
    const dataset = await datasetOf(traffic)
    const data = { directory: dataset.directory, trainUntil: CUT, families: 'all' as const }
    const selected = selectRows(dataset, data, 500)
    const matrix = await gatherMatrix([{ dataset, selected }], spec, dataset.directory)
    const all = await rowsOf(dataset, ROWS)
    const expected = [...selected.rows].map((row) => all.subarray(row * width, (row + 1) * width))
    expect(matrix.rows).toBe(500)
    for (const [i, row] of expected.entries()) expect(rowOf(matrix, i)).toEqual(row)
    matrix.features.close()
  })
})

describe('links without labels', () => {
  it('come in pairs, one that was and one made up, with nothing of the interaction itself', async () => {
    const dataset = await datasetOf(traffic)
    const data = { directory: dataset.directory, trainUntil: CUT, families: [] }
    const matrix = await gatherLinkMatrix([{ dataset, data }], spec, 400, dataset.directory)
    await dataset.close()
    expect(matrix.rows).toBe(400)
    expect([...matrix.labels.subarray(0, 4)]).toEqual([0, 1, 0, 1])
    let different = 0
    for (let row = 0; row < 400; row += 2) {
      const [real, made] = [0, 1].map((i) => rowOf(matrix, row + i))
      expect(real?.subarray(0, spec.features).every((value) => value === 0)).toBe(true)
      expect(made?.subarray(0, spec.features).every((value) => value === 0)).toBe(true)
      if (real?.some((value, c) => value !== made?.[c])) different++
    }
    matrix.features.close()
    expect(different).toBeGreaterThan(190)
  })

  it('are what an organisation without any label trains on, and teach which links are surprising', async () => {
    const { label: _, technique: __, ...first } = traffic[0] as Interaction
    const unlabelled = [first, ...traffic.slice(1).map(({ label: _l, technique: _t, ...rest }) => rest)]
    const dataset = await datasetOf(unlabelled)
    await dataset.close()
    const trainer = createTrainer({ directory: dataset.directory, trainUntil: CUT, families: 'all' })
    const model = createModel(spec, loadKernels())
    const start = model.initialise('links')
    const { parameters, summary } = await trainer.train({
      spec,
      parameters: start,
      epochs: 20,
      batchSize: 256,
      learningRate: 1e-2,
      optimiser: 'adam',
      proximalMu: 0,
      rowsMax: 4000,
      seed: 'links',
    })
    await trainer.close()
    expect(summary.sampleCount).toBe(4000)
    const rows = await rowsOf(await datasetOf(traffic), ROWS)
    expect(model.score(parameters, rows, ROWS)).not.toEqual(model.score(start, rows, ROWS))
    const surprise = model.score(parameters, rows.subarray(CUT * width), ROWS - CUT, 'link')
    const mean = (attack: boolean): number => {
      const of = [...surprise].filter((_s, i) => (traffic[CUT + i]?.label === 'attack') === attack)
      return of.reduce((sum, value) => sum + value, 0) / of.length
    }
    expect(mean(true)).toBeGreaterThan(mean(false))
  })
})

it('a row is features, pair and links, in this order', () => {
  expect(width).toBe(spec.features + PAIR_WIDTH + 2 * spec.links * spec.linkFeatures)
})
