/** One organisation in memory: the rows that any situation trains on, and the test slice, as wide as the model needs. */

import { createEdgeBankScorer } from '../../../src/models/baselines/edge-bank.ts'
import { createMidas } from '../../../src/models/baselines/midas.ts'
import { createMidasR } from '../../../src/models/baselines/midas-r.ts'
import { createOneBit } from '../../../src/models/baselines/one-bit.ts'
import { createOutside } from '../../../src/models/baselines/outside.ts'
import { createPairFrequency } from '../../../src/models/baselines/pair-frequency.ts'
import type { StreamScorer } from '../../../src/models/baselines/stream-scorer.ts'
import { createSurge } from '../../../src/models/baselines/surge.ts'
import type { LabelledBatchSource, ThreatModelSpec } from '../../../src/models/model.ts'
import { type OpenDataset, openDataset } from '../../../src/node/dataset-files.ts'
import { gatherLinkMatrix } from '../../../src/node/link-matrix.ts'
import { modelWidth, readModelRows } from '../../../src/node/model-rows.ts'
import { ATTACK, type RowTable } from '../../../src/telemetry/dataset.ts'
import { trainingRows } from '../../../src/telemetry/training-rows.ts'
import { EntenteError, fail } from '../../../src/base/errors.ts'
import { type PreparedSite, TEST_SHARE, timeAt } from './prepare.ts'
import { type TestSlice, testSlice } from './slice.ts'

/** What an organisation may learn from in one situation. */
export interface Knowledge {
  /** Seconds since the epoch. */
  readonly trainUntil: number
  readonly families: readonly string[] | 'all'
}

export interface Organisation {
  readonly id: string
  readonly slice: TestSlice
  /** Scores of the baselines on the test slice, after the whole stream before it. */
  baselines(): Readonly<Record<string, Float32Array>>
  /** Labelled rows before `until`, by family. */
  familyCounts(until: number): Record<string, number>
  /** Undefined where it knows no row at all. */
  training(knowledge: Knowledge, rowsMax: number): Promise<LabelledBatchSource | undefined>
  /** Real and made-up links before `until`, whatever their labels. */
  linkTraining(until: number, rowsMax: number): Promise<LabelledBatchSource>
  /** Calls back with blocks of the test slice, in order. */
  readTest(take: (rows: Float32Array, from: number, count: number) => void): Promise<void>
  close(): Promise<void>
}

export interface OrganisationOptions {
  /** Of the whole capture. */
  readonly ticks: number
  readonly spec: ThreatModelSpec
  readonly floodRowsMax: number
  /** Share of the ticks from which the test slice begins, and where it ends. */
  readonly test?: { readonly from: number; readonly until: number }
}

export async function openOrganisation(site: PreparedSite, options: OrganisationOptions): Promise<Organisation> {
  const dataset = await openDataset(site.directory)
  const { from, until } = options.test ?? { from: TEST_SHARE, until: 1 }
  const slice = testSlice(dataset.rows, dataset.info.techniques, {
    from: timeAt(from, options.ticks),
    until: timeAt(until, options.ticks),
    ticks: Math.floor(options.ticks * until) - Math.floor(options.ticks * from),
    floodRowsMax: options.floodRowsMax,
  })
  let baselines: Record<string, Float32Array> | undefined
  return {
    id: site.id,
    slice,
    baselines: () => (baselines ??= scoreBaselines(dataset.rows, slice.rows)),
    familyCounts: (until_) => familyCounts(dataset, until_),
    training: (knowledge, rowsMax) => gather(dataset, knowledge, options.spec, rowsMax),
    linkTraining: (before, rowsMax) => gatherLinks(dataset, site.directory, before, options.spec, rowsMax),
    readTest: (take) => readModelRows(dataset, options.spec, slice.rows, take),
    close: () => dataset.close(),
  }
}

function familyCounts({ rows, info }: OpenDataset, until: number): Record<string, number> {
  const counts = new Map<string, number>()
  for (let row = 0; row < rows.length && rows.time(row) < until; row++) {
    const name = rows.label(row) === ATTACK ? (info.techniques[rows.technique(row)] ?? '') : ''
    if (name !== '') counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  return Object.fromEntries(counts)
}

async function gather(
  dataset: OpenDataset,
  { trainUntil, families }: Knowledge,
  spec: ThreatModelSpec,
  rowsMax: number,
): Promise<LabelledBatchSource | undefined> {
  try {
    const { techniques } = dataset.info
    const { rows } = trainingRows(dataset.rows, techniques, { trainUntil, families, rowsMax, seed: 'entente' })
    const width = modelWidth(spec)
    const features = new Float32Array(rows.length * width)
    await readModelRows(dataset, spec, rows, (block, from, count) =>
      features.set(block.subarray(0, count * width), from * width),
    )
    const labels = Uint8Array.from(rows, (row) => (dataset.rows.label(row) === ATTACK ? 1 : 0))
    return { rows: rows.length, width, features, labels }
  } catch (error) {
    if (error instanceof EntenteError && error.code === 'no-data') return undefined
    throw error
  }
}

async function gatherLinks(
  dataset: OpenDataset,
  directory: string,
  trainUntil: number,
  spec: ThreatModelSpec,
  rowsMax: number,
): Promise<LabelledBatchSource> {
  if (spec.kind !== 'tgnn') fail('model-invalid', 'a perceptron does not learn links')
  const part = { dataset, data: { directory, trainUntil, families: [] } }
  const { features: file, ...matrix } = await gatherLinkMatrix([part], spec, rowsMax, directory)
  const features = new Float32Array(file.length)
  file.read(0, features)
  file.close()
  return { ...matrix, features }
}

/** The windowed bank remembers as long as the test lasts in Poursafaei et al.: 15 % of the time. */
const BANK_WINDOW = Math.floor(0.15 * 46_572)
/** Chosen on the first 60 % of the ticks of the whole stream. */
export const OUTSIDE_WEIGHT = 10

/** Scorers without training; `knows` says which of them are told the organisation's own networks. */
export const STREAM_SCORERS: readonly {
  readonly name: string
  readonly knowsNetworks: boolean
  readonly create: () => StreamScorer
}[] = [
  { name: 'MIDAS-F', knowsNetworks: false, create: () => createMidas() },
  { name: 'MIDAS-R', knowsNetworks: false, create: () => createMidasR() },
  { name: 'EdgeBank, unlimited', knowsNetworks: false, create: () => createEdgeBankScorer(Infinity) },
  { name: 'EdgeBank, window of 15 %', knowsNetworks: false, create: () => createEdgeBankScorer(BANK_WINDOW) },
  { name: 'pair frequency', knowsNetworks: false, create: () => createPairFrequency() },
  { name: 'surge', knowsNetworks: false, create: () => createSurge() },
  { name: 'one bit: source outside', knowsNetworks: true, create: () => createOneBit() },
  { name: 'one bit + MIDAS-F', knowsNetworks: true, create: () => createOutside(createMidas(), OUTSIDE_WEIGHT) },
]

function scoreBaselines(table: RowTable, selected: Uint32Array): Record<string, Float32Array> {
  const scorers = STREAM_SCORERS.map(({ name, create }) => ({ name, scorer: create() }))
  const scores = scorers.map(() => new Float32Array(selected.length))
  let at = 0
  for (let row = 0; row < table.length; row++) {
    const isSelected = selected[at] === row
    scorers.forEach(({ scorer }, s) => {
      const score = scorer.score(table.minute(row), table.sourceId(row), table.destinationId(row), table.flags(row))
      if (isSelected) (scores[s] as Float32Array)[at] = score
    })
    if (isSelected) at++
  }
  return Object.fromEntries(scorers.map(({ name }, s) => [name, scores[s] as Float32Array]))
}
