/** Membership inference by likelihood ratio, each model in turn the target and all others its shadows. */

import { prng, shuffle } from '../../../src/base/prng.ts'
import { rocAuc } from '../../../src/models/metrics.ts'
import { createModel, type LabelledBatchSource, type TrainOptions } from '../../../src/models/model.ts'
import { likelihoodRatio, operatingPoint, pooledDeviation, truePositiveMax } from '../../../test/attacks/membership.ts'
import { makeProblem, type Problem } from '../problem.ts'
import type { AttackContext } from '../sections.ts'
import { margins, rowsWhere } from './audit.ts'
import { type PrivatePlan, privateTraining } from './private-runs.ts'

const TABLE = 'Membership: likelihood ratio, 16 shadow models'
const MODELS = 17
/** Rows, of which each model trains on a half of its own. */
const ROWS = 240
/** Share of labels that are wrong: what a model can only learn by heart. */
const WRONG = 0.25
export const DELTA = 1e-5
const RATES = [0.01, 0.1]

const planOf = (epsilon: number): PrivatePlan => ({ epsilon, delta: DELTA, samplingRate: 0.25, steps: 100, clip: 1 })
const COMMON = { proximalMu: 0, positiveWeight: 1 } as const
type Options = Omit<TrainOptions, 'seed'>

/** Ways to train, with the epsilon that they claim. */
const ARMS: Readonly<Record<string, { epsilon: number | null; options(seed: string): Options }>> = {
  'plain, 200 passes': {
    epsilon: null,
    options: () => ({ ...COMMON, epochs: 200, batchSize: 20, learningRate: 0.01, optimiser: 'adam' }),
  },
  'plain, 1 pass': {
    epsilon: null,
    options: () => ({ ...COMMON, epochs: 1, batchSize: 20, learningRate: 0.01, optimiser: 'adam' }),
  },
  'DP-SGD, epsilon 4': { epsilon: 4, options: (seed) => privateOptions(4, seed) },
  'DP-SGD, epsilon 1': { epsilon: 1, options: (seed) => privateOptions(1, seed) },
}

const privateOptions = (epsilon: number, seed: string): Options => ({
  ...COMMON,
  epochs: 1,
  batchSize: (ROWS / 2) * 0.25,
  learningRate: 0.3,
  optimiser: 'sgd',
  privately: privateTraining(planOf(epsilon), `membership/${seed}`),
})

export function membership({ seed, kernels, sheet, tiny, progress }: AttackContext): void {
  const rows = poolOf(makeProblem(seed), seed)
  const model = createModel({ kind: 'mlp', inputs: rows.width, hidden: [64] }, kernels)
  for (const [name, { epsilon, options }] of Object.entries(ARMS)) {
    progress(name)
    const trained = Array.from({ length: tiny ? 5 : MODELS }, (_, i) => {
      const own = `${seed}/${name}/${i}`
      const isIn = halfOf(rows.rows, own)
      const start = model.initialise(own)
      const { parameters } = model.train(start, rowsWhere(rows, isIn), { ...options(own), seed: own })
      return { isIn, margins: margins(model, parameters, rows) }
    })
    sheet.record(TABLE, name, figuresOf(trained, epsilon))
  }
}

function poolOf({ organisations }: Problem, seed: string): LabelledBatchSource {
  const random = prng(`membership/${seed}`)
  const rows = organisations.flatMap(({ rows }, at) => Array.from({ length: rows }, (_, row) => ({ at, row })))
  const chosen = shuffle(rows, random).slice(0, ROWS)
  const width = organisations[0]?.width ?? 0
  const features = new Float32Array(ROWS * width)
  const labels = new Uint8Array(ROWS)
  chosen.forEach(({ at, row }, i) => {
    const from = organisations[at]
    features.set(from?.features.subarray(row * width, (row + 1) * width) ?? [], i * width)
    const label = from?.labels[row] ?? 0
    labels[i] = random.uniform() < WRONG ? 1 - label : label
  })
  return { rows: ROWS, width, features, labels }
}

function halfOf(rows: number, seed: string): boolean[] {
  const random = prng(`membership/half/${seed}`)
  return Array.from({ length: rows }, () => random.below(2) === 1)
}

interface Trained {
  readonly isIn: readonly boolean[]
  readonly margins: readonly number[]
}

/** All targets and rows in one ranking. */
function figuresOf(trained: readonly Trained[], epsilon: number | null): Record<string, number | null> {
  const [scores, isMember]: [number[], boolean[]] = [[], []]
  for (const target of trained) {
    const shadows = trained.filter((other) => other !== target)
    const split = target.margins.map((_, row) => splitBy(shadows, row))
    const deviations = {
      whenIn: pooledDeviation(split.map(({ whenIn }) => whenIn)),
      whenOut: pooledDeviation(split.map(({ whenOut }) => whenOut)),
    }
    for (const [row, { whenIn, whenOut }] of split.entries()) {
      if (whenIn.length === 0 || whenOut.length === 0) continue
      scores.push(likelihoodRatio(target.margins[row] ?? 0, whenIn, whenOut, deviations))
      isMember.push(target.isIn[row] === true)
    }
  }
  const labels = Uint8Array.from(isMember, Number)
  const figures: Record<string, number | null> = { 'ranked right (AUC)': rocAuc(Float32Array.from(scores), labels) }
  for (const rate of RATES) {
    figures[`TPR at FPR ${100 * rate} %`] = operatingPoint(scores, isMember, rate).truePositive
    figures[`allowed at ${100 * rate} %`] = epsilon === null ? null : truePositiveMax(rate, epsilon, DELTA)
  }
  return figures
}

/** Margins of a row in the shadows that trained with it, and in those without. */
function splitBy(shadows: readonly Trained[], row: number): { whenIn: number[]; whenOut: number[] } {
  const of = (included: boolean): number[] =>
    shadows.filter(({ isIn }) => isIn[row] === included).map(({ margins }) => margins[row] ?? 0)
  return { whenIn: of(true), whenOut: of(false) }
}
