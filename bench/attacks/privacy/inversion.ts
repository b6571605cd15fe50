/** How much of a row comes back out of what leaves an organisation, by analytic inversion of the first layer. */

import { sha256 } from '../../../src/base/hash.ts'
import { toBase64Url, utf8 } from '../../../src/base/bytes.ts'
import { prng, shuffle } from '../../../src/base/prng.ts'
import { EPSILON_DEFAULT } from '../../../src/learning/example-privacy.ts'
import { updateOf } from '../../../src/learning/update-file.ts'
import { planMlp } from '../../../src/models/mlp.ts'
import { createModel, type LabelledBatchSource, type MlpSpec, type TrainOptions } from '../../../src/models/model.ts'
import { dequantiseMean, scaleFor } from '../../../src/privacy/masking/quantise.ts'
import { maskText, maskUpdate } from '../../../src/privacy/masking/vector.ts'
import { errorOf, invertFirstLayer, labelOf } from '../../../test/attacks/inversion.ts'
import { makeProblem, ORGANISATIONS } from '../problem.ts'
import type { AttackContext } from '../sections.ts'
import { rowsWhere } from './audit.ts'
import { type PrivatePlan, privateTraining } from './private-runs.ts'

const TABLE = 'Inversion: rows out of an update'
const TRIALS = 60
const CLOSE = 0.1
const STEP = { epochs: 1, learningRate: 0.1, optimiser: 'sgd', proximalMu: 0, positiveWeight: 1 } as const
/** One step on everything, so that nothing but the noise protects. */
const PRIVATE: PrivatePlan = { epsilon: 8, delta: 1e-5, samplingRate: 1, steps: 1, clip: 1 }
/** What trainings have by default, all spent in this one step: a round of a longer training has more noise. */
const DEFAULT: PrivatePlan = { ...PRIVATE, epsilon: EPSILON_DEFAULT }

/** From the rows that an organisation trains on to what others see of it. */
type Channel = (rows: LabelledBatchSource, seed: string) => Float32Array

export function inversion(context: AttackContext): void {
  const { seed, kernels, sheet, progress } = context
  const { organisations } = makeProblem(seed, context.tiny ? 2 : ORGANISATIONS)
  const spec: MlpSpec = { kind: 'mlp', inputs: organisations[0]?.width ?? 0, hidden: [8] }
  const model = createModel(spec, kernels)
  const start = model.initialise(`inversion/${seed}`)
  const step = (rows: LabelledBatchSource, changes: Partial<TrainOptions> = {}): Float32Array =>
    updateOf(model.train(start, rows, { ...STEP, batchSize: rows.rows, seed, ...changes }).parameters, start)
  const privately = (rows: LabelledBatchSource, plan: PrivatePlan, own: string): Float32Array =>
    step(rows, { batchSize: 1, privately: privateTraining(plan, `${seed}/${own}`) })
  const [first] = organisations
  if (first === undefined) throw new Error('a problem has organisations')

  const channels: Readonly<Record<string, readonly [rows: number, Channel]>> = {
    'plain: one row, one step': [1, (rows) => step(rows)],
    'plain: 4 rows, one step': [4, (rows) => step(rows)],
    'plain: 16 rows, one step': [16, (rows) => step(rows)],
    'plain: all rows of an organisation, 12 steps': [first.rows, (rows) => step(rows, { batchSize: 10 })],
    'masked vector of one row, as the hub sees it': [1, (rows, trial) => masked(step(rows), trial)],
    [`sum of ${organisations.length}, one row each`]: [
      1,
      (rows, trial) => sumOf([rows, ...others(organisations, trial)].map((each) => step(each))),
    ],
    'DP-SGD (epsilon 8): one row, one step': [1, (rows, trial) => privately(rows, PRIVATE, trial)],
    [`default: sum of ${organisations.length} under secure aggregation, after DP-SGD (epsilon ${EPSILON_DEFAULT}), one row each`]:
      [
        1,
        (rows, trial) =>
          sumOf([rows, ...others(organisations, trial)].map((each, i) => privately(each, DEFAULT, `${trial}/${i}`))),
      ],
  }
  for (const [name, [count, channel]] of Object.entries(channels)) {
    progress(name)
    sheet.record(TABLE, name, measure(spec, organisations, { count, channel, seed, trials: context.tiny ? 3 : TRIALS }))
  }
}

interface Measurement {
  readonly count: number
  readonly channel: Channel
  readonly seed: string
  readonly trials: number
}

function measure(spec: MlpSpec, organisations: readonly LabelledBatchSource[], of: Measurement) {
  const { layers } = planMlp(spec)
  const [first, last] = [layers[0], layers.at(-1)]
  if (first === undefined || last === undefined) throw new Error('a perceptron has layers')
  const errors: number[] = []
  let labels = 0
  for (let trial = 0; trial < of.trials; trial++) {
    const from = organisations[trial % organisations.length]
    if (from === undefined) continue
    const rows = someRows(from, of.count, `${of.seed}/${trial}`)
    const seen = of.channel(rows, String(trial))
    const guesses = invertFirstLayer(seen, first)
    for (let row = 0; row < rows.rows; row++)
      errors.push(errorOf(guesses, rows.features.subarray(row * rows.width, (row + 1) * rows.width)))
    if (labelOf(seen, last) === rows.labels[0]) labels++
  }
  const sorted = errors.toSorted((a, b) => a - b)
  return {
    'rows within 10 %': errors.filter((error) => error < CLOSE).length / errors.length,
    'median error': Math.min(99, sorted[sorted.length >> 1] ?? 0),
    'label right': of.count === 1 ? labels / of.trials : null,
  }
}

function someRows(data: LabelledBatchSource, count: number, seed: string): LabelledBatchSource {
  const order = shuffle(
    Uint32Array.from({ length: data.rows }, (_, i) => i),
    prng(`inversion/rows/${seed}`),
  )
  const chosen = new Set(order.subarray(0, count))
  return rowsWhere(
    data,
    Array.from({ length: data.rows }, (_, i) => chosen.has(i)),
  )
}

const others = (organisations: readonly LabelledBatchSource[], trial: string): LabelledBatchSource[] =>
  organisations.slice(1).map((data, i) => someRows(data, 1, `others/${trial}/${i}`))

function sumOf(updates: readonly Float32Array[]): Float32Array {
  const sum = new Float64Array(updates[0]?.length ?? 0)
  for (const update of updates) update.forEach((value, i) => (sum[i] = (sum[i] ?? 0) + value))
  return Float32Array.from(sum)
}

/** What the hub gets, read as if there were no masks on it. */
function masked(update: Float32Array, trial: string): Float32Array {
  const scale = scaleFor(ORGANISATIONS, 1, 1)
  const secret = (name: string): Uint8Array => sha256(utf8(`inversion/${trial}/${name}`)).subarray(0, 16)
  const masks = ['self', 'pair'].map((name) => maskText({ seed: secret(name), sign: 1 }))
  const order = { length: update.length, weight: 1, scale, rounding: toBase64Url(secret('rounding')), masks }
  return dequantiseMean(maskUpdate(order, update).words, 1, scale)
}
