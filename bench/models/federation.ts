/** Federated averaging in this process, with the product's own training, contribution and aggregation. */

import type { StrategyConfig } from '../../src/learning/config.ts'
import { aggregate } from '../../src/learning/aggregate.ts'
import { type ByteReader, openTensors, readValues } from '../../src/learning/tensor-reader.ts'
import { encodeUpdate, updateOf } from '../../src/learning/update-file.ts'
import type { Kernels } from '../../src/models/kernels/kernels.ts'
import type { LabelledBatchSource, Model, TensorShape, TrainOptions } from '../../src/models/model.ts'
import { concatBytes } from '../../src/base/bytes.ts'
import { sha256Hex } from '../../src/base/hash.ts'
import { encodeFlat } from '../../src/node/model-files.ts'

export interface WeightedModel {
  readonly organisation: string
  /** What it trained, starting from the base. */
  readonly parameters: Float32Array
  readonly sampleCount: number
}

/** The server: takes the models of one round, keeps what its strategy remembers. */
export interface Server {
  readonly parameters: Float32Array
  round(trained: readonly WeightedModel[]): Promise<Float32Array>
}

const SAMPLE_COUNT_MAX = 10_000_000

function memoryReader(bytes: Uint8Array): ByteReader {
  return {
    size: bytes.length,
    read: async (offset, into) => into.set(bytes.subarray(offset, offset + into.length)),
  }
}

export function createServer(
  layout: readonly TensorShape[],
  start: Float32Array,
  strategy: StrategyConfig,
  kernels: Kernels,
): Server {
  let parameters = start
  let previous: Uint8Array | null = null
  let state: Uint8Array | null = null
  let rounds = 0

  async function round(trained: readonly WeightedModel[]): Promise<Float32Array> {
    const base = encodeFlat(layout, { format: 'entente-model-1', version: `v1.${rounds}` }, parameters)
    const digest = sha256Hex(base)
    const updates = trained.map(async ({ organisation, parameters: own, sampleCount }) => {
      const file = encodeUpdate(updateOf(own, parameters), layout, digest)
      return { organisation, sampleCount, reader: await openTensors(memoryReader(file)) }
    })
    const [model, states]: [Uint8Array[], Uint8Array[]] = [[], []]
    await aggregate({
      base: await openTensors(memoryReader(base)),
      previous: previous === null ? null : await openTensors(memoryReader(previous)),
      state: state === null ? null : await openTensors(memoryReader(state)),
      updates: await Promise.all(updates),
      strategy,
      sampleCountMax: SAMPLE_COUNT_MAX,
      version: `v1.${++rounds}`,
      kernels,
      writeModel: async (bytes) => void model.push(bytes.slice()),
      writeState: async (bytes) => void states.push(bytes.slice()),
    })
    previous = base
    state = states.length === 0 ? null : concatBytes(...states)
    const tensors = await openTensors(memoryReader(concatBytes(...model)))
    parameters = await readValues(tensors, 0, new Float32Array(parameters.length))
    return parameters
  }

  return {
    get parameters() {
      return parameters
    },
    round,
  }
}

export interface Participant {
  readonly id: string
  readonly data: LabelledBatchSource
}

export interface FederationOptions {
  readonly rounds: number
  readonly local: Omit<TrainOptions, 'seed'>
  readonly strategy: StrategyConfig
  readonly seed: string
  readonly onRound?: (round: number) => void
}

/** Every round, each participant trains from the global model on its rows, weighted by their number. */
export async function federate(
  model: Model,
  kernels: Kernels,
  participants: readonly Participant[],
  options: FederationOptions,
): Promise<Float32Array> {
  const { rounds, local, strategy, seed } = options
  const server = createServer(model.layout, model.initialise(seed), strategy, kernels)
  for (let round = 1; round <= rounds; round++) {
    const trained = participants.map(({ id, data }) => ({
      organisation: id,
      sampleCount: data.rows,
      parameters: model.train(server.parameters, data, { ...local, seed: `${seed}/${round}/${id}` }).parameters,
    }))
    await server.round(trained)
    options.onRound?.(round)
  }
  return server.parameters
}
