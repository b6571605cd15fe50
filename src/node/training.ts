/** What a trainer is asked and what it answers. */

import type { PrivateMechanism, PrivateTraining } from '../models/dp-sgd/private-training.ts'
import type { ModelSpec, Objective } from '../models/model.ts'

export interface TrainRequest {
  readonly spec: ModelSpec
  /** Flat float32 parameters in the order of the model's layout. */
  readonly parameters: Float32Array
  readonly epochs: number
  /** Rows that an epoch visits; null = all. */
  readonly rowsPerEpoch?: number | null
  /** Default `supervised`; who has no labels at all trains on links. */
  readonly objective?: Objective
  readonly batchSize: number
  readonly learningRate: number
  readonly optimiser: 'adam' | 'sgd'
  readonly proximalMu: number
  /** Of a policy: steps of the environment. */
  readonly rowsMax: number
  /** Names the round and the organisation, so that every shuffle is reproducible. */
  readonly seed: string
  /** Differential privacy of single rows. */
  readonly privately?: PrivateRequest
}

/** Two models to compare on rows that were held out. */
export interface ValidateRequest {
  readonly spec: ModelSpec
  /** Flat float32 parameters in the order of the model's layout. */
  readonly before: Float32Array
  readonly after: Float32Array
}

export interface PrivateRequest extends Omit<PrivateTraining, 'random'> {
  /** 32 secret bytes, for this training alone: which rows are sampled, and the noise. */
  readonly secret: Uint8Array
  /** Rows that one host may have in the training, as their source. */
  readonly rowsPerHost: number
}

export interface LabelledSummary {
  readonly sampleCount: number
  readonly positives: number
  /** Mean training loss of the last epoch. */
  readonly loss: number
  /** Of a policy: mean total reward of the episodes played last. */
  readonly reward?: number
  /** Of private training: what was done. */
  readonly mechanism?: PrivateMechanism
}
