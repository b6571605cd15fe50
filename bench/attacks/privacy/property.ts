/**
 * Property inference (Melis et al. 2019, section 4.2): did the organisation see a certain attack? A classifier learns it from
 * updates of made-up organisations with and without, and is asked about updates of others.
 */

import { prng, type Prng } from '../../../src/base/prng.ts'
import { updateOf } from '../../../src/learning/update-file.ts'
import { rocAuc } from '../../../src/models/metrics.ts'
import { createModel, type LabelledBatchSource, type Model } from '../../../src/models/model.ts'
import type { Kernels } from '../../../src/models/kernels/kernels.ts'
import { makeProblem, ORGANISATIONS, type Problem } from '../problem.ts'
import type { AttackContext } from '../sections.ts'
import { type PrivatePlan, privateTraining } from './private-runs.ts'

const TABLE = 'Property: whether an organisation met one attack'
const UPDATES = 120
const LOCAL = {
  epochs: 1,
  batchSize: 10,
  learningRate: 0.3,
  optimiser: 'sgd',
  proximalMu: 0,
  positiveWeight: 1,
} as const
const ROWS = 60
const PRIVATE: PrivatePlan = { epsilon: 2, delta: 1e-5, samplingRate: 0.25, steps: 24, clip: 1 }

/** From the rows of one organisation to what others see of it. */
type Channel = (rows: LabelledBatchSource, own: string) => Float32Array

function victims(seed: string, kernels: Kernels) {
  const problem = makeProblem(seed)
  const model = createModel({ kind: 'mlp', inputs: problem.test.width, hidden: [8] }, kernels)
  const start = model.initialise(`property/${seed}`)
  const train: Channel = (rows, own) => updateOf(model.train(start, rows, { ...LOCAL, seed: own }).parameters, start)
  return { problem, model, start, train }
}

/**
 * Chance that the plain update of an organisation with the property is ranked above one without (AUC). `isRandom`: what it
 * is asked about has nothing to do with the rows, so nothing can be learned.
 */
export function plainRanking(kernels: Kernels, seed: string, count: number, isRandom = false): number {
  const { problem, model, train } = victims(seed, kernels)
  const seen = (purpose: string, half: number) => observe(problem, train, `${seed}/${purpose}`, half, count, isRandom)
  return guess(kernels, model, seen('shadow', 0), seen('target', 1))
}

export function property({ seed, kernels, sheet, tiny, progress }: AttackContext): void {
  const { problem, model, start, train } = victims(seed, kernels)
  const trainPrivately: Channel = (rows, own) => {
    const privately = privateTraining(PRIVATE, own)
    const options = { ...LOCAL, batchSize: Math.round(rows.rows * PRIVATE.samplingRate), seed: own, privately }
    return updateOf(model.train(start, rows, options).parameters, start)
  }
  const arms: Readonly<Record<string, Channel>> = {
    'plain update': train,
    'sum of 3': (rows, own) => withOthers(problem, train, rows, own, 2),
    [`sum of ${ORGANISATIONS}`]: (rows, own) => withOthers(problem, train, rows, own, ORGANISATIONS - 1),
    'DP-SGD update, epsilon 2': trainPrivately,
  }
  for (const [name, channel] of Object.entries(arms)) {
    progress(name)
    const seen = (purpose: string, half: number) =>
      observe(problem, channel, `${seed}/${name}/${purpose}`, half, tiny ? 20 : UPDATES)
    sheet.record(TABLE, name, { 'ranked right (AUC)': guess(kernels, model, seen('shadow', 0), seen('target', 1)) })
  }
}

interface Observed {
  readonly updates: readonly Float32Array[]
  readonly labels: Uint8Array
}

/** Every other update is of an organisation that met the attack; shadows and targets draw from different organisations. */
function observe(
  problem: Problem,
  channel: Channel,
  label: string,
  half: number,
  count: number,
  isRandom = false,
): Observed {
  const labels = Uint8Array.from({ length: count }, (_, i) => i % 2)
  const coin = prng(`property/coin/${label}`)
  const updates = Array.from(labels, (labelled, i) => {
    const hasProperty = isRandom ? coin.below(2) === 1 : labelled === 1
    return channel(organisationRows(problem, prng(`property/${label}/${i}`), half, hasProperty), `${label}/${i}`)
  })
  return { updates, labels }
}

/** The technique that most organisations investigated, in the half where fewer did. */
function wantedOf({ techniques }: Problem): string | undefined {
  const fewest = (technique: string): number =>
    Math.min(...[0, 1].map((half) => techniques.filter((one, i) => i % 2 === half && one === technique).length))
  return [...new Set(techniques)].toSorted((a, b) => fewest(b) - fewest(a) || (a < b ? -1 : 1))[0]
}

/**
 * Rows of one organisation that investigated another technique, a sixth of its attacks from one that investigated
 * the wanted one, or none.
 */
function organisationRows(problem: Problem, random: Prng, half: number, hasProperty: boolean): LabelledBatchSource {
  const { organisations, techniques } = problem
  const wanted = wantedOf(problem)
  const mine = (i: number): boolean => i % 2 === half
  const withIt = organisations.filter((_, i) => mine(i) && techniques[i] === wanted)
  const without = organisations.filter((_, i) => mine(i) && techniques[i] !== wanted)
  const base = without[random.below(without.length)]
  const other = withIt[random.below(withIt.length)]
  if (base === undefined || other === undefined) throw new Error('nobody has the property, or everybody')
  const { width } = base
  const features = new Float32Array(2 * ROWS * width)
  const labels = Uint8Array.from({ length: 2 * ROWS }, (_, i) => (i < ROWS ? 0 : 1))
  labels.forEach((label, i) => {
    const from = label === 1 && hasProperty && i % 6 === 0 ? other : base
    const rows = [...from.labels.keys()].filter((row) => from.labels[row] === label)
    const row = rows[random.below(rows.length)] ?? 0
    features.set(from.features.subarray(row * width, (row + 1) * width), i * width)
  })
  return { rows: 2 * ROWS, width, features, labels }
}

function withOthers(
  { organisations }: Problem,
  train: Channel,
  rows: LabelledBatchSource,
  own: string,
  count: number,
): Float32Array {
  const random = prng(`property/others/${own}`)
  const sum = Float64Array.from(train(rows, own))
  for (let i = 0; i < count; i++) {
    const other = organisations[random.below(organisations.length)]
    if (other !== undefined) train(other, `${own}/${i}`).forEach((value, j) => (sum[j] = (sum[j] ?? 0) + value))
  }
  return Float32Array.from(sum)
}

/** A logistic regression on the coordinates of the updates, each scaled by its deviation among the shadows. */
function guess(kernels: Kernels, { parameterCount }: Model, shadows: Observed, targets: Observed): number {
  const scales = scalesOf(shadows.updates, parameterCount)
  const sourceOf = ({ updates, labels }: Observed): LabelledBatchSource => {
    const features = new Float32Array(updates.length * parameterCount)
    updates.forEach((update, i) => update.forEach((value, j) => (features[i * parameterCount + j] = scales(value, j))))
    return { rows: updates.length, width: parameterCount, features, labels }
  }
  const judge = createModel({ kind: 'mlp', inputs: parameterCount, hidden: [] }, kernels)
  const options = {
    epochs: 60,
    batchSize: 20,
    learningRate: 1e-3,
    optimiser: 'adam',
    proximalMu: 0,
    seed: 'judge',
  } as const
  const { parameters } = judge.train(new Float32Array(judge.parameterCount), sourceOf(shadows), options)
  const asked = sourceOf(targets)
  return rocAuc(judge.score(parameters, asked.features, asked.rows), asked.labels) ?? 0.5
}

function scalesOf(updates: readonly Float32Array[], count: number): (value: number, j: number) => number {
  const mean = new Float64Array(count)
  const square = new Float64Array(count)
  for (const update of updates)
    update.forEach((value, j) => {
      mean[j] = (mean[j] ?? 0) + value / updates.length
      square[j] = (square[j] ?? 0) + (value * value) / updates.length
    })
  return (value, j) => {
    const deviation = Math.sqrt(Math.max(0, (square[j] ?? 0) - (mean[j] ?? 0) ** 2))
    return deviation > 1e-9 ? (value - (mean[j] ?? 0)) / deviation : 0
  }
}
