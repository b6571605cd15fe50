/**
 * Is the claimed epsilon true? One training with ten thousand canaries, each in by a coin: rows whose only column is one that no
 * other row has, so that one weight tells of each. White box: the auditor sees the model before and after.
 */

import { type Prng, prng } from '../../../src/base/prng.ts'
import type { Kernels } from '../../../src/models/kernels/kernels.ts'
import { createModel, type LabelledBatchSource, type Model } from '../../../src/models/model.ts'
import { type Guesses, guessByScore } from '../../../test/attacks/audit.ts'
import type { Problem } from '../problem.ts'
import { type Defect, type PrivatePlan, privateTraining } from './private-runs.ts'

export const CANARIES = 10_000
/** Guesses on each side: chosen beforehand, as what refutes most if the noise is half of what is claimed. */
const GUESSED = 0.01
export const AUDITED: PrivatePlan = { epsilon: 2, delta: 1e-5, samplingRate: 0.5, steps: 20, clip: 1 }
/** So large that any gradient of a canary is longer than the clip, and shorter than the clip of the broken one. */
const SIGNAL = 60
const TRAINING = { epochs: 1, batchSize: 1, optimiser: 'sgd', proximalMu: 0, positiveWeight: 1 } as const

export interface AuditOptions {
  readonly kernels: Kernels
  readonly seed: string
  readonly canaries?: number
}

/** What the auditor guesses right of one training that claims {@link AUDITED}. */
export function audit({ kernels, seed, canaries = CANARIES }: AuditOptions, defect: Defect): Guesses {
  const isIn = coins(canaries, prng(`audit/${seed}`))
  const model = createModel({ kind: 'mlp', inputs: canaries, hidden: [] }, kernels)
  const start = model.initialise(seed)
  const privately = privateTraining(AUDITED, `audit/${seed}`, defect)
  const { parameters } = model.train(start, canaryRows(isIn), { ...TRAINING, learningRate: 1e-3, seed, privately })
  // Bias first, then a weight for each column; an included canary pulls its weight up.
  const scores = isIn.map((_, i) => (parameters[1 + i] ?? 0) - (start[1 + i] ?? 0))
  return guessByScore(scores, isIn, Math.round(GUESSED * canaries))
}

const coins = (count: number, random: Prng): boolean[] => Array.from({ length: count }, () => random.below(2) === 1)

/** Row by row, made when it is read. */
function canaryRows(isIn: readonly boolean[]) {
  const columns = isIn.flatMap((included, column) => (included ? [column] : []))
  const width = isIn.length
  return {
    rows: columns.length,
    width,
    features: {
      length: columns.length * width,
      read(from: number, into: Float32Array): void {
        into.fill(0)
        for (let row = Math.floor(from / width); row * width < from + into.length; row++) {
          const at = row * width + (columns[row] ?? 0) - from
          if (at >= 0 && at < into.length) into[at] = SIGNAL
        }
      },
    },
    labels: new Uint8Array(columns.length).fill(1),
  }
}

/**
 * The same with canaries that look like data, real rows with labels by chance, on the model of the bench, seen from outside: the
 * score is how sure the model is of the label.
 */
export function blackBoxAudit({ kernels, seed }: AuditOptions, problem: Problem): Guesses {
  const random = prng(`audit/rows/${seed}`)
  const all = canariesFrom(problem, random)
  const isIn = coins(all.rows, random)
  const model = createModel({ kind: 'mlp', inputs: all.width, hidden: [8] }, kernels)
  const data = rowsWhere(all, isIn)
  const privately = privateTraining(AUDITED, `audit/rows/${seed}`)
  const options = {
    ...TRAINING,
    batchSize: Math.round(data.rows * AUDITED.samplingRate),
    learningRate: 0.5,
    seed,
    privately,
  }
  const { parameters } = model.train(model.initialise(seed), data, options)
  return guessByScore(margins(model, parameters, all), isIn, Math.round(0.1 * all.rows))
}

function canariesFrom({ organisations: [first] }: Problem, random: Prng): LabelledBatchSource {
  if (first === undefined) throw new Error('a problem has organisations')
  return { ...first, labels: first.labels.map(() => random.below(2)) }
}

export function rowsWhere(data: LabelledBatchSource, isIn: readonly boolean[]): LabelledBatchSource {
  const rows = isIn.flatMap((included, row) => (included ? [row] : []))
  const features = new Float32Array(rows.length * data.width)
  rows.forEach((row, i) =>
    features.set(data.features.subarray(row * data.width, (row + 1) * data.width), i * data.width),
  )
  return {
    rows: rows.length,
    width: data.width,
    features,
    labels: Uint8Array.from(rows, (row) => data.labels[row] ?? 0),
  }
}

/** How far each row's logit lies on the side of its label. */
export function margins(model: Model, parameters: Float32Array, data: LabelledBatchSource): number[] {
  const logits = model.score(parameters, data.features, data.rows)
  return Array.from(logits, (logit, row) => (data.labels[row] === 1 ? logit : -logit))
}
