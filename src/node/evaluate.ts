/**
 * What federation is worth, measured on the traffic after the cut: each organisation's own model, the federated one, one
 * trained on everything in one place, and two scorers that need no training. Only a demonstration can do this, since only
 * there the data of all organisations are on one machine.
 */

import { EntenteError } from '../base/errors.ts'
import { type LaterSlice, type Metrics, measure, poolSlices } from '../models/later-slice.ts'
import type { ModelSpec, TrainOptions } from '../models/model.ts'
import { createEvaluationPool, type EvaluationPool } from './evaluate-pool.ts'
import type { ScoredSlice, TrainedModel } from './evaluate-tasks.ts'

export type { Figures, Metrics } from '../models/later-slice.ts'

export interface EvaluatedOrganisation {
  readonly id: string
  /** Data set directory. */
  readonly directory: string
  /** Attack families that it has labels of. */
  readonly families: readonly string[] | 'all'
}

export interface EvaluateOptions {
  readonly organisations: readonly EvaluatedOrganisation[]
  /** Seconds since the epoch: training rows are before, scored rows from then on. */
  readonly trainUntil: number
  readonly spec: ModelSpec
  /** Flat parameters of the federated model. */
  readonly federated: Float32Array
  /** Rounds of the federation: the others train as many times `local.epochs`. */
  readonly rounds: number
  readonly local: Omit<TrainOptions, 'seed'> & { readonly rowsMax: number }
  readonly seed: string
  readonly onProgress?: (progress: EvaluationProgress) => void
}

export interface EvaluationProgress {
  readonly phase: 'training' | 'scoring' | 'measuring'
  /** Share of the phase, 0 to 1. */
  readonly done: number
}

export interface SliceSummary {
  /** Of the later slice. */
  readonly rows: number
  readonly positives: number
  readonly stealthyPositives: number
  /** Families among its own training rows. */
  readonly labelledFamilies: readonly string[]
  /** Families that it had no labels of but some other organisation had. */
  readonly othersFamilies: readonly string[]
}

type ByOrganisation<T> = Readonly<Record<string, T>>

export interface Evaluation {
  readonly organisations: ByOrganisation<SliceSummary>
  readonly metrics: {
    /** Each organisation's own model on its own traffic; null if it has no labels to train on. */
    readonly local: ByOrganisation<Metrics | null>
    /** All organisations' traffic, each scored by its own model; null unless each has one. */
    readonly localPooled: Metrics | null
    readonly federated: Metrics & { readonly byOrganisation: ByOrganisation<Metrics> }
    readonly centralised: Metrics
    /** MIDAS-F over each organisation's own stream. */
    readonly counter: Metrics
    /** The source is outside the organisation's networks. */
    readonly oneBit: Metrics
  }
}

/** @throws no-data if no organisation has labels; what the threads throw */
export async function evaluate(options: EvaluateOptions): Promise<Evaluation> {
  const pool = createEvaluationPool()
  try {
    const trained = await trainAll(pool, options)
    const slices = await scoreAll(pool, options, trained)
    return measureAll(options, trained, slices)
  } finally {
    await pool.close()
  }
}

interface Trained {
  /** In the order of the organisations. */
  readonly local: readonly (TrainedModel | undefined)[]
  readonly centralised: TrainedModel
}

async function trainAll(pool: EvaluationPool, options: EvaluateOptions): Promise<Trained> {
  const { organisations, trainUntil, spec, local, rounds, seed } = options
  const data = organisations.map(({ directory, families }) => ({ directory, families, trainUntil }))
  const { rowsMax, ...training } = local
  const jobs = organisations.length + 1
  const progress = phaseProgress(options, 'training', jobs)
  const train = (of: typeof data, job: number): Promise<TrainedModel> =>
    pool.train(
      {
        type: 'train',
        data: of,
        rowsMax,
        spec,
        options: {
          ...training,
          epochs: rounds * local.epochs,
          // As many steps as the organisations take together.
          rowsPerEpoch: typeof local.rowsPerEpoch === 'number' ? local.rowsPerEpoch * of.length : null,
          proximalMu: 0,
          seed,
        },
      },
      (share) => progress(job, share),
    )
  // The longest first, so that the two threads end together.
  const centralised = train(data, 0)
  const silos = data.map((one, i) => train([one], i + 1).catch(undefinedWithoutData))
  // Waited for together: if all fail at once, each failure must have found somebody who waits.
  const [central, alone] = await Promise.all([centralised, Promise.all(silos)])
  return { centralised: central, local: alone }
}

function undefinedWithoutData(error: unknown): undefined {
  if (error instanceof EntenteError && error.code === 'no-data') return undefined
  throw error
}

async function scoreAll(pool: EvaluationPool, options: EvaluateOptions, trained: Trained): Promise<ScoredSlice[]> {
  const { organisations, trainUntil, spec, federated } = options
  const objective = options.local.objective ?? 'supervised'
  const progress = phaseProgress(options, 'scoring', organisations.length)
  return Promise.all(
    organisations.map(({ directory }, i) => {
      const local = trained.local[i]
      const models = {
        federated,
        centralised: trained.centralised.parameters,
        ...(local === undefined ? {} : { local: local.parameters }),
      }
      const othersFamilies = othersFamiliesOf(trained, i)
      return pool.score({ type: 'score', directory, trainUntil, othersFamilies, spec, objective, models }, (share) =>
        progress(i, share),
      )
    }),
  )
}

function othersFamiliesOf({ local, centralised }: Trained, organisation: number): string[] {
  const own = local[organisation]?.families ?? []
  return centralised.families.filter((family) => !own.includes(family))
}

function measureAll(options: EvaluateOptions, trained: Trained, slices: readonly ScoredSlice[]): Evaluation {
  const { organisations } = options
  const progress = phaseProgress(options, 'measuring', 2 * organisations.length + 5)
  let measured = 0
  const figuresOf = (slice: LaterSlice, scores: Float32Array | undefined): Metrics => {
    const metrics = measure(slice, scores ?? new Float32Array(slice.kinds.length))
    progress(measured++, 1)
    return metrics
  }
  const pooled = poolSlices(slices)
  const pool = (scorer: string): Metrics => figuresOf(pooled, concatScores(slices, scorer))
  const byOrganisation = (scorer: string): Record<string, Metrics | null> =>
    Object.fromEntries(
      organisations.map(({ id }, i) => {
        const slice = slices[i]
        return [id, slice?.scores[scorer] === undefined ? null : figuresOf(slice, slice.scores[scorer])]
      }),
    )
  return {
    organisations: Object.fromEntries(organisations.map(({ id }, i) => [id, summarise(trained, slices, i)])),
    metrics: {
      local: byOrganisation('local'),
      localPooled: trained.local.includes(undefined) ? null : pool('local'),
      federated: { ...pool('federated'), byOrganisation: byOrganisation('federated') as Record<string, Metrics> },
      centralised: pool('centralised'),
      counter: pool('counter'),
      oneBit: pool('oneBit'),
    },
  }
}

function concatScores(slices: readonly ScoredSlice[], scorer: string): Float32Array {
  const all = new Float32Array(slices.reduce((sum, { kinds }) => sum + kinds.length, 0))
  let at = 0
  for (const { scores, kinds } of slices) {
    all.set(scores[scorer] ?? [], at)
    at += kinds.length
  }
  return all
}

function summarise(trained: Trained, slices: readonly ScoredSlice[], organisation: number): SliceSummary {
  const kinds = slices[organisation]?.kinds ?? new Uint8Array(0)
  return {
    rows: kinds.length,
    positives: kinds.reduce((sum, kind) => sum + (kind & 1), 0),
    stealthyPositives: kinds.reduce((sum, kind) => sum + ((kind >> 1) & 1), 0),
    labelledFamilies: trained.local[organisation]?.families ?? [],
    othersFamilies: othersFamiliesOf(trained, organisation),
  }
}

/** Mean of the shares of the jobs of a phase. */
function phaseProgress(
  options: EvaluateOptions,
  phase: EvaluationProgress['phase'],
  jobs: number,
): (job: number, share: number) => void {
  const shares = new Float64Array(jobs)
  return (job, share) => {
    shares[job] = share
    options.onProgress?.({ phase, done: shares.reduce((sum, one) => sum + one, 0) / jobs })
  }
}
