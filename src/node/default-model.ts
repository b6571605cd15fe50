/** The models that a training may start from without a specification. Sizes: docs/decisions/0006 and 0011. */

import { EPSILON_DEFAULT } from '../learning/example-privacy.ts'
import { LOCAL_MECHANISM, type Mechanism } from '../learning/mechanisms.ts'
import type { MlpSpec, TgnnSpec, ThreatModelSpec } from '../models/model.ts'
import { FEATURE_COUNT } from '../telemetry/features.ts'
import { LINK_WIDTH, LINKS_DEFAULT, PAIR_WIDTH } from '../telemetry/graph/layout.ts'

export const DEFAULT_MLP: MlpSpec = { kind: 'mlp', inputs: FEATURE_COUNT, hidden: [64, 64] }

export const DEFAULT_TGNN: TgnnSpec = {
  kind: 'tgnn',
  features: FEATURE_COUNT,
  pairFeatures: PAIR_WIDTH,
  links: LINKS_DEFAULT,
  linkFeatures: LINK_WIDTH,
  timeDimensions: 16,
  width: 32,
  hidden: [64, 64],
}

export const MODEL_KINDS = ['mlp', 'tgnn'] as const
export type ThreatModelKind = (typeof MODEL_KINDS)[number]

/** The model that a training starts from unless it is told otherwise. */
export const DEFAULT_KIND: ThreatModelKind = 'tgnn'

export const defaultModel = (kind: ThreatModelKind): ThreatModelSpec => (kind === 'mlp' ? DEFAULT_MLP : DEFAULT_TGNN)

const DELTA = 1e-5
const CLIP = 1

/** Of whole updates. */
export interface ClipNamed {
  readonly norm: number
  /** adaptive: it is the clip of the first round. */
  readonly per: 'update' | 'layer' | 'adaptive'
}

export interface PrivacyAsked {
  readonly unit: 'example' | 'organisation'
  readonly epsilon: number
  /** Of whole organisations; default: each adds all the noise itself. */
  readonly mechanism?: Mechanism
  /** Of shares. */
  readonly invitedMin?: number
}

/** Fields of a training's configuration that go with a model; parseTrainingConfig fills in the rest. */
export interface TrainingDefaults {
  readonly model: ThreatModelSpec
  readonly strategy: { readonly name: string; readonly momentum?: number }
  readonly local?: Readonly<Record<string, number>>
  readonly rounds: number
  readonly privacy: Readonly<Record<string, number | string>> | null
  readonly clipNorm?: number
  readonly clipPer?: 'layer'
  readonly clipAdaptive?: { readonly from: number }
}

export interface Asked {
  readonly strategy?: string | undefined
  /** Default: of training rows, at {@link EPSILON_DEFAULT}; null = none. */
  readonly privacy?: PrivacyAsked | null
  /** Default: none, and {@link CLIP} for whole organisations. */
  readonly clip?: ClipNamed | null
}

/**
 * Short rounds and a server that keeps its direction hold organisations of different labels together; a perceptron, whose
 * rounds cost next to nothing, is trained as decision 6 has it. Under privacy few rows are asked often: noise falls with
 * the share of an organisation's attacks in a step, and more benign rows only cost time (decision 17).
 */
export function trainingDefaults(kind: ThreatModelKind, asked: Asked = {}): TrainingDefaults {
  const { strategy, privacy = { unit: 'example', epsilon: EPSILON_DEFAULT }, clip } = asked
  const model = kind === 'mlp' ? mlpDefaults(strategy ?? 'fedavg') : tgnnDefaults(strategy ?? 'fedavgm')
  const of = { ...model, ...clipDefaults(clip ?? null, privacy?.unit) }
  if (privacy === null) return { ...of, privacy }
  const guarantee = { ...privacy, delta: DELTA, clip: CLIP }
  if (privacy.unit === 'organisation')
    return { ...of, privacy: { mechanism: LOCAL_MECHANISM, ...guarantee, clip: clip?.norm ?? CLIP } }
  return { ...of, local: PRIVATE_LOCAL[kind], privacy: guarantee }
}

/** Noise of whole organisations has the norm in `privacy.clip`. */
function clipDefaults(clip: ClipNamed | null, unit: PrivacyAsked['unit'] | undefined) {
  if (clip === null) return {}
  const norm = unit === 'organisation' ? {} : { clipNorm: clip.norm }
  if (clip.per === 'adaptive') return { ...norm, clipAdaptive: { from: clip.norm } }
  return { ...norm, ...(clip.per === 'layer' ? { clipPer: clip.per } : {}) }
}

const PRIVATE_LOCAL = {
  mlp: { rowsMax: 8000, batchSize: 2048, epochs: 3, learningRate: 0.01 },
  tgnn: { rowsMax: 6000, batchSize: 1536, epochs: 1, learningRate: 0.01 },
} as const

function mlpDefaults(name: string): Omit<TrainingDefaults, 'privacy'> {
  return { model: DEFAULT_MLP, strategy: { name }, rounds: 8 }
}

function tgnnDefaults(name: string): Omit<TrainingDefaults, 'privacy'> {
  return {
    model: DEFAULT_TGNN,
    strategy: name === 'fedavgm' ? { name, momentum: 0.7 } : { name },
    local: { rowsMax: 40_000, rowsPerEpoch: 12_500 },
    rounds: 16,
  }
}
