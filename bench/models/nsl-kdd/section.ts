/**
 * NSL-KDD as a side table: ten organisations hold the official training set, alike or skewed by label; accuracy and F1 on
 * the official tests at the logit 0. Who claims 99 % here splits the training set at random.
 */

import { prng, shuffle } from '../../../src/base/prng.ts'
import { strategyConfigSchema } from '../../../src/learning/config.ts'
import { createModel, type LabelledBatchSource, type MlpSpec } from '../../../src/models/model.ts'
import { federate, type Participant } from '../federation.ts'
import type { Section, SectionContext } from '../section.ts'
import { type Encoder, fitEncoder, readRecords } from './records.ts'

const ORGANISATIONS = 10
const HIDDEN = [64]
const LOCAL = {
  epochs: 1,
  batchSize: 256,
  learningRate: 3e-3,
  optimiser: 'adam',
  proximalMu: 0,
  positiveWeight: 1,
} as const
const ROUNDS = 30
/** Passes of the centralised model and of silos. */
const EPOCHS = 10
const TABLE = 'NSL-KDD, official split'
/** Concentration of the Dirichlet distribution of labels over organisations (Hsu et al. 2019). */
const SKEW = 0.3

interface Test {
  readonly name: string
  readonly data: LabelledBatchSource
}

export const NSL_KDD_PARTS: Readonly<Record<string, Section>> = { mlp: nslKdd }

async function nslKdd(context: SectionContext): Promise<void> {
  const folder = context.shared('data/nsl-kdd')
  if (folder === undefined) return context.skip('../shared/data/nsl-kdd is not there')
  const records = await readRecords(
    `${folder}/${context.tiny ? 'KDDTrain+_20Percent.txt.gz' : 'KDDTrain+.rebuilt.csv.gz'}`,
  )
  const encoder = fitEncoder(records)
  const training: LabelledBatchSource = {
    rows: records.rows,
    width: encoder.width,
    features: encoder.encode(records),
    labels: records.labels,
  }
  const tests = [await readTest(encoder, folder, 'KDDTest+'), await readTest(encoder, folder, 'KDDTest-21')]
  centralised(context, training, tests)
  const iid = dealt(training, context.seed, () => Array.from({ length: ORGANISATIONS }, () => 1 / ORGANISATIONS))
  const random = prng(`nsl-kdd skew/${context.seed}`)
  const skewed = dealt(training, context.seed, () => dirichlet(SKEW, ORGANISATIONS, random))
  await federated(context, 'federated, labels alike (IID)', iid, tests)
  await federated(context, 'federated, labels skewed', skewed, tests)
  silos(context, 'silo, labels alike (mean of 10)', iid, tests)
  silos(context, 'silo, labels skewed (mean of 10)', skewed, tests)
}

async function readTest(encoder: Encoder, folder: string, name: string): Promise<Test> {
  const records = await readRecords(`${folder}/${name}.txt.gz`)
  const data = { rows: records.rows, width: encoder.width, features: encoder.encode(records), labels: records.labels }
  return { name, data }
}

const specOf = ({ width }: LabelledBatchSource): MlpSpec => ({ kind: 'mlp', inputs: width, hidden: HIDDEN })

function centralised(
  { seed, kernels, sheet, tiny }: SectionContext,
  data: LabelledBatchSource,
  tests: readonly Test[],
): void {
  const model = createModel(specOf(data), kernels)
  const options = { ...LOCAL, epochs: tiny ? 1 : EPOCHS, seed }
  const { parameters } = model.train(model.initialise(seed), data, options)
  sheet.record(
    TABLE,
    'centralised',
    figuresOf(tests, (test) => model.score(parameters, test.features, test.rows)),
  )
}

async function federated(
  context: SectionContext,
  row: string,
  participants: readonly Participant[],
  tests: readonly Test[],
): Promise<void> {
  context.progress(row)
  const [first] = participants
  if (first === undefined) return
  const spec = specOf(first.data)
  const model = createModel(spec, context.kernels)
  const strategy = strategyConfigSchema.parse({ name: 'fedavg' })
  const options = { rounds: context.tiny ? 1 : ROUNDS, local: LOCAL, strategy, seed: context.seed }
  const parameters = await federate(model, context.kernels, participants, options)
  context.sheet.record(
    TABLE,
    row,
    figuresOf(tests, (test) => model.score(parameters, test.features, test.rows)),
  )
}

function silos(
  { seed, kernels, sheet, tiny }: SectionContext,
  row: string,
  participants: readonly Participant[],
  tests: readonly Test[],
): void {
  const all = participants.map(({ id, data }) => {
    const model = createModel(specOf(data), kernels)
    const options = { ...LOCAL, epochs: tiny ? 1 : EPOCHS, seed: `${seed}/${id}` }
    const { parameters } = model.train(model.initialise(seed), data, options)
    return figuresOf(tests, (test) => model.score(parameters, test.features, test.rows))
  })
  const columns = Object.keys(all[0] ?? {})
  const mean = (column: string): number => all.reduce((sum, of) => sum + (of[column] ?? 0), 0) / all.length
  sheet.record(TABLE, row, Object.fromEntries(columns.map((column) => [column, mean(column)])))
}

function figuresOf(tests: readonly Test[], score: (test: LabelledBatchSource) => Float32Array): Record<string, number> {
  const figures: Record<string, number> = {}
  for (const { name, data } of tests) {
    const { accuracy, f1 } = accuracyAndF1(score(data), data.labels)
    figures[`${name} accuracy`] = accuracy
    figures[`${name} F1`] = f1
  }
  return figures
}

export function accuracyAndF1(logits: Float32Array, labels: Uint8Array): { accuracy: number; f1: number } {
  const counts = { right: 0, hits: 0, called: 0, positives: 0 }
  logits.forEach((logit, i) => {
    const called = logit > 0 ? 1 : 0
    if (called === labels[i]) counts.right++
    counts.hits += called * (labels[i] ?? 0)
    counts.called += called
    counts.positives += labels[i] ?? 0
  })
  return { accuracy: counts.right / labels.length, f1: (2 * counts.hits) / (counts.called + counts.positives) }
}

/** Deals the rows of each class to the organisations by shares, after a seeded shuffle. */
function dealt(data: LabelledBatchSource, seed: string, sharesOf: (label: number) => number[]): Participant[] {
  const dealtRows: number[][] = Array.from({ length: ORGANISATIONS }, () => [])
  for (const label of [0, 1]) {
    const rows = [...data.labels.keys()].filter((row) => data.labels[row] === label)
    shuffle(rows, prng(`nsl-kdd/${seed}/${label}`))
    let [at, share] = [0, 0]
    sharesOf(label).forEach((own, i) => {
      share += own
      const end = i === ORGANISATIONS - 1 ? rows.length : Math.round(share * rows.length)
      dealtRows[i]?.push(...rows.slice(at, end))
      at = end
    })
  }
  return dealtRows.flatMap((rows, i) => (rows.length === 0 ? [] : [{ id: `org-${i}`, data: pick(data, rows) }]))
}

function pick({ width, features, labels }: LabelledBatchSource, rows: readonly number[]): LabelledBatchSource {
  const picked = new Float32Array(rows.length * width)
  rows.forEach((row, i) => picked.set(features.subarray(row * width, (row + 1) * width), i * width))
  return { rows: rows.length, width, features: picked, labels: Uint8Array.from(rows, (row) => labels[row] ?? 0) }
}

/** Shares that sum to one: Gamma(shape, 1) variables over their sum. */
function dirichlet(shape: number, count: number, random: ReturnType<typeof prng>): number[] {
  const draws = Array.from({ length: count }, () => gamma(shape, random))
  const sum = draws.reduce((total, draw) => total + draw, 0)
  return draws.map((draw) => draw / sum)
}

/** Marsaglia and Tsang 2000; for shapes below one by Gamma(shape + 1) * u^(1 / shape). */
function gamma(shape: number, random: ReturnType<typeof prng>): number {
  if (shape < 1) return gamma(shape + 1, random) * (1 - random.uniform()) ** (1 / shape)
  const d = shape - 1 / 3
  for (;;) {
    const x = random.normal()
    const v = (1 + x / Math.sqrt(9 * d)) ** 3
    if (v > 0 && Math.log(1 - random.uniform()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v
  }
}
