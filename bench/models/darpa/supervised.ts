/**
 * One seed of the supervised situations: for each, every organisation's own model (silo), the federated one, that with a
 * head fine-tuned at home, the federated beside the own (personalised), and one trained on all rows in one place
 * (centralised). All are trained first; then each organisation's test slice is read once and scored by all.
 */

import { strategyConfigSchema } from '../../../src/learning/config.ts'
import type { Kernels } from '../../../src/models/kernels/kernels.ts'
import {
  createModel,
  type LabelledBatchSource,
  type Model,
  type Objective,
  type ThreatModelSpec,
} from '../../../src/models/model.ts'
import { levelOf, personalisedScores } from '../../../src/models/personalise.ts'
import { federate, type Participant } from '../federation.ts'
import type { Scored } from './figures.ts'
import type { Organisation } from './organisation.ts'
import type { Situation } from './situations.ts'

export interface Training {
  readonly rounds: number
  /** Rows of an organisation that a round visits, others each time: less work between two averages drifts less. */
  readonly rowsPerRound: number
  /** Passes of a silo over its rows, and of the centralised model over everybody's. */
  readonly epochs: number
  readonly batchSize: number
  readonly learningRate: number
  /** Rows that an organisation trains on in all. */
  readonly rowsMax: number
  /** Passes over an organisation's own rows when its head is fine-tuned, and their rate. */
  readonly headEpochs: number
  readonly headRate: number
}

export type Arm = 'silo' | 'federated' | 'fine-tuned' | 'personalised' | 'centralised'

type Parameters = Readonly<Record<string, Float32Array | undefined>>

/** From which the scores of the shared model and of the organisation's own are measured, see models/personalise.ts. */
interface Levels {
  readonly shared: number
  readonly own?: number
}

export interface Trained {
  readonly situation: Situation
  /** Of each organisation under each arm that is one model; undefined where it has nothing to train its own on. */
  readonly arms: Readonly<Partial<Record<Arm, Parameters>>>
  /** Of each organisation, if personalised scores are asked for. */
  readonly levels: Readonly<Record<string, Levels>>
}

export interface Bench {
  readonly spec: ThreatModelSpec
  readonly kernels: Kernels
  readonly organisations: readonly Organisation[]
  readonly training: Training
  /** Of the whole capture. */
  readonly ticks: number
  readonly seed: string
  readonly onProgress: (message: string) => void
}

export async function trainSituation(bench: Bench, situation: Situation, arms: readonly Arm[]): Promise<Trained> {
  const model = createModel(bench.spec, bench.kernels)
  const participants = await participantsOf(bench, situation)
  const has = (arm: Arm): boolean => arms.includes(arm)
  const federated = await trainFederated(bench, model, situation.name, participants)
  const everyone = (parameters: Float32Array): Parameters =>
    Object.fromEntries(bench.organisations.map(({ id }) => [id, parameters]))
  const own = (train: (participant: Participant) => Float32Array): Parameters =>
    Object.fromEntries(participants.flatMap((one) => (hasPositives(one.data) ? [[one.id, train(one)]] : [])))
  const silo = has('silo') ? own(({ id, data }) => trainAlone(bench, model, data, id)) : {}
  // Who has no attack to learn from keeps the head that all share.
  const tuned = has('fine-tuned') ? own((one) => fineTune(bench, model, federated, one)) : undefined
  return {
    situation,
    arms: {
      silo,
      federated: everyone(federated),
      ...(tuned === undefined ? {} : { 'fine-tuned': { ...everyone(federated), ...tuned } }),
      ...(has('centralised') ? { centralised: everyone(trainCentral(bench, model, participants)) } : {}),
    },
    levels: has('personalised') ? levelsOf(model, participants, federated, silo) : {},
  }
}

function levelsOf(
  model: Model,
  participants: readonly Participant[],
  federated: Float32Array,
  silo: Parameters,
): Record<string, Levels> {
  const level = (parameters: Float32Array, { features, labels, rows }: LabelledBatchSource): number =>
    levelOf(model.score(parameters, features, rows).filter((_, row) => labels[row] === 0))
  const levels = participants.map(({ id, data }): [string, Levels] => {
    const own = silo[id]
    return [id, { shared: level(federated, data), ...(own === undefined ? {} : { own: level(own, data) }) }]
  })
  return Object.fromEntries(levels)
}

async function participantsOf(
  { organisations, training: { rowsMax } }: Bench,
  situation: Situation,
): Promise<Participant[]> {
  const participants: Participant[] = []
  for (const { id, training } of organisations) {
    const knowledge = situation.knowledge[id]
    const data = knowledge === undefined ? undefined : await training(knowledge, rowsMax)
    if (data !== undefined) participants.push({ id, data })
  }
  return participants
}

const hasPositives = ({ labels }: LabelledBatchSource): boolean => labels.includes(1)

function localOptions({ training }: Bench): {
  epochs: number
  batchSize: number
  learningRate: number
  optimiser: 'adam'
  proximalMu: number
} {
  const { batchSize, learningRate } = training
  return { epochs: 1, batchSize, learningRate, optimiser: 'adam', proximalMu: 0 }
}

/** Chosen with the rest of the settings; see docs/benchmarks.md. */
const STRATEGY = strategyConfigSchema.parse({ name: 'fedavgm', momentum: 0.7 })

export function trainFederated(
  bench: Bench,
  model: Model,
  name: string,
  participants: readonly Participant[],
  objective: Objective = 'supervised',
): Promise<Float32Array> {
  const { rounds, rowsPerRound } = bench.training
  return federate(model, bench.kernels, participants, {
    rounds,
    local: { ...localOptions(bench), rowsPerEpoch: rowsPerRound, objective },
    strategy: STRATEGY,
    seed: bench.seed,
    onRound: (round) => {
      if (round === rounds || round % 10 === 0) bench.onProgress(`${name}: federated, round ${round} of ${rounds}`)
    },
  })
}

function trainAlone(bench: Bench, model: Model, data: LabelledBatchSource, name: string): Float32Array {
  bench.onProgress(`training on the rows of ${name}`)
  const options = { ...localOptions(bench), epochs: bench.training.epochs, seed: `${bench.seed}/${name}` }
  return model.train(model.initialise(bench.seed), data, options).parameters
}

function trainCentral(bench: Bench, model: Model, participants: readonly Participant[]): Float32Array {
  return trainAlone(bench, model, pool(participants.map(({ data }) => data)), 'everything')
}

function fineTune(bench: Bench, model: Model, start: Float32Array, { id, data }: Participant): Float32Array {
  const { headEpochs, headRate } = bench.training
  const options = { ...localOptions(bench), epochs: headEpochs, learningRate: headRate, trainable: 'head' as const }
  return model.train(start, data, { ...options, seed: `${bench.seed}/head/${id}` }).parameters
}

export function pool(parts: readonly LabelledBatchSource[]): LabelledBatchSource {
  const rows = parts.reduce((sum, part) => sum + part.rows, 0)
  const width = parts[0]?.width ?? 0
  const features = new Float32Array(rows * width)
  const labels = new Uint8Array(rows)
  let at = 0
  for (const part of parts) {
    features.set(part.features, at * width)
    labels.set(part.labels, at)
    at += part.rows
  }
  return { rows, width, features, labels }
}

/** Of one organisation. */
export type Part = Scored & { readonly id: string }

/** By arm, for each organisation that has such a model. */
export type ArmScores = Partial<Record<Arm, Part[]>>

export async function scoreArms(bench: Bench, { arms, levels }: Trained): Promise<ArmScores> {
  const model = createModel(bench.spec, bench.kernels)
  const result: ArmScores = {}
  for (const { id, slice, readTest } of bench.organisations) {
    const jobs = (Object.keys(arms) as Arm[]).flatMap((arm) => {
      const parameters = arms[arm]?.[id]
      return parameters === undefined ? [] : [{ arm, parameters, scores: new Float32Array(slice.rows.length) }]
    })
    bench.onProgress(`scoring ${id} by ${jobs.length} models`)
    const distinct = distinctBy(jobs, ({ parameters }) => parameters)
    await readTest((rows, from, count) => {
      for (const [parameters, same] of distinct) {
        const scores = model.score(parameters, rows, count)
        for (const job of same) job.scores.set(scores, from)
      }
    })
    const scoresOf = (arm: Arm): Float32Array | undefined => jobs.find((job) => job.arm === arm)?.scores
    const personal = personalisedOf(scoresOf('federated'), scoresOf('silo'), levels[id])
    const all = personal === undefined ? jobs : [...jobs, { arm: 'personalised' as const, scores: personal }]
    for (const { arm, scores } of all) result[arm] = [...(result[arm] ?? []), { id, slice, scores }]
  }
  return result
}

function personalisedOf(
  shared: Float32Array | undefined,
  own: Float32Array | undefined,
  levels: Levels | undefined,
): Float32Array | undefined {
  if (shared === undefined || levels === undefined) return undefined
  const beside = own === undefined || levels.own === undefined ? undefined : { scores: own, level: levels.own }
  return personalisedScores({ scores: shared, level: levels.shared }, beside)
}

function distinctBy<T, K>(items: readonly T[], keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>()
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item])
  return groups
}
