/** One training of the problem under one attack and one rule, by the product's own kernels and aggregation. */

import { prng } from '../../src/base/prng.ts'
import type { RobustConfig } from '../../src/learning/robust/config.ts'
import type { RobustReport } from '../../src/learning/robust/report.ts'
import { updateOf } from '../../src/learning/update-file.ts'
import type { Kernels } from '../../src/models/kernels/kernels.ts'
import { rocAuc } from '../../src/models/metrics.ts'
import { createModel, type LabelledBatchSource, type Model } from '../../src/models/model.ts'
import type { Attack } from '../../test/attacks/attack.ts'
import { withTrigger } from '../../test/attacks/data.ts'
import { aggregateUpdates } from './aggregator.ts'
import { type Problem, TRIGGER } from './problem.ts'

const HIDDEN = [8]
export const ROUNDS = 15
const LOCAL = {
  epochs: 1,
  batchSize: 10,
  learningRate: 0.3,
  optimiser: 'sgd',
  proximalMu: 0,
  positiveWeight: 1,
} as const

export interface Trial {
  readonly problem: Problem
  readonly seed: string
  /** Null: nobody lies. The liars are the first organisations. */
  readonly attack: Attack | null
  readonly liars: number
  readonly robust: RobustConfig
  readonly rounds?: number
  /** What the aggregation of a round says. */
  readonly onReport?: (report: RobustReport) => void
}

export interface Outcome {
  /** Share of the test rows on the right side of the logit 0. */
  readonly accuracy: number
  /** Of stealthy attacks against benign rows. */
  readonly auc: number
  /** Share of the attacks that pass for benign once they are marked. */
  readonly markedMissed: number
  /** Share of the attacks that pass for benign as they are. */
  readonly missed: number
}

export function createFederation(kernels: Kernels, width: number) {
  const model = createModel({ kind: 'mlp', inputs: width, hidden: HIDDEN }, kernels)

  async function run(trial: Trial): Promise<Outcome> {
    const { seed, rounds = ROUNDS } = trial
    const data = poisoned(trial)
    let [parameters, first] = [model.initialise(seed), [] as Float32Array[]]
    let [before, previous]: (Float32Array | null)[] = [null, null]
    for (let round = 1; round <= rounds; round++) {
      const base = parameters
      const trained = data.map((rows, i) => {
        const options = { ...LOCAL, seed: `${seed}/${round}/${i}` }
        return updateOf(model.train(base, rows, options).parameters, base)
      })
      if (round === 1) first = trained.slice(0, trial.liars)
      const updates = attacked(trial, trained, { previous: previous ?? null, first, round })
      const options = { kernels, seed: `${seed}/${round}`, previous: before ?? null }
      const { parameters: next, report } = await aggregateUpdates(base, updates, trial.robust, options)
      if (report !== undefined) trial.onReport?.(report)
      ;[before, parameters] = [base, next]
      previous = updateOf(parameters, base)
    }
    return judge(model, parameters, trial.problem.test)
  }

  return { run, parameterCount: model.parameterCount }
}

function poisoned({ problem, attack, liars, seed }: Trial): readonly LabelledBatchSource[] {
  if (attack?.kind !== 'data') return problem.organisations
  return problem.organisations.map((data, i) => (i < liars ? attack.poison(data, prng(`poison/${seed}/${i}`)) : data))
}

interface Past {
  readonly previous: Float32Array | null
  readonly first: readonly Float32Array[]
  readonly round: number
}

function attacked({ attack, liars, seed }: Trial, trained: readonly Float32Array[], past: Past): Float32Array[] {
  const [own, honest] = [trained.slice(0, liars), trained.slice(liars)]
  if (attack === null || liars === 0) return [...trained]
  if (attack.kind === 'data') {
    const factor = attack.scale(liars, trained.length)
    return [...own.map((update) => update.map((value) => factor * value)), ...honest]
  }
  const random = prng(`attack/${seed}/${past.round}`)
  return [...attack.updates({ own, honest, previous: past.previous, first: past.first, random }), ...honest]
}

function judge(model: Model, parameters: Float32Array, test: LabelledBatchSource): Outcome {
  const scores = model.score(parameters, test.features, test.rows)
  const marked = model.score(parameters, withTrigger(test.features, test.width, TRIGGER), test.rows)
  const attacks = test.labels.reduce((sum, label) => sum + label, 0)
  const missedBy = (logits: Float32Array): number =>
    test.labels.reduce((sum, label, row) => sum + (label === 1 && (logits[row] ?? 0) <= 0 ? 1 : 0), 0) / attacks
  const right = test.labels.reduce((sum, label, row) => sum + ((scores[row] ?? 0) > 0 === (label === 1) ? 1 : 0), 0)
  return {
    accuracy: right / test.rows,
    auc: rocAuc(scores, test.labels) ?? 0.5,
    markedMissed: missedBy(marked),
    missed: missedBy(scores),
  }
}
