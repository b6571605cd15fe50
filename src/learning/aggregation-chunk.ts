/** The memory of a streaming aggregation: one buffer for each role, as long as a chunk, used for every chunk in turn. */

import type { StrategyConfig } from './config.ts'
import { packState, unpackState } from './strategy-state.ts'
import type { Strategy } from './strategies/strategy.ts'
import { readValues, type TensorReader } from './tensor-reader.ts'

export interface Chunk {
  /** w_old. */
  readonly base: Float32Array
  /** w_new, once the strategy has been applied. */
  readonly weights: Float32Array
  readonly delta: Float32Array
  readonly previous: Float32Array | undefined
  readonly state: readonly Float32Array[]
  /** The states as they lie in the file. */
  readonly packed: Float32Array
}

export interface ChunkSources {
  readonly base: TensorReader
  readonly previous: TensorReader | null
  readonly state: TensorReader | null
}

export function allocateChunk(count: number, { stateNames, usesPrevious }: Strategy, sources: ChunkSources): Chunk {
  const values = (): Float32Array => new Float32Array(count)
  return {
    base: values(),
    weights: values(),
    delta: values(),
    previous: usesPrevious && sources.previous !== null ? values() : undefined,
    state: stateNames.map(values),
    packed: new Float32Array(count * stateNames.length),
  }
}

/** The first `count` coordinates: the last chunk of a model is seldom full. */
export function firstOf({ base, weights, delta, previous, state, packed }: Chunk, count: number): Chunk {
  return {
    base: base.subarray(0, count),
    weights: weights.subarray(0, count),
    delta: delta.subarray(0, count),
    previous: previous?.subarray(0, count),
    state: state.map((values) => values.subarray(0, count)),
    packed: packed.subarray(0, count * state.length),
  }
}

/** Reads everything but the updates. Before the first round, states have the strategy's initial values. */
export async function readChunk(
  chunk: Chunk,
  sources: ChunkSources,
  start: number,
  strategy: Strategy,
  config: StrategyConfig,
): Promise<void> {
  await readValues(sources.base, start, chunk.base)
  chunk.weights.set(chunk.base)
  if (chunk.previous !== undefined && sources.previous !== null)
    await readValues(sources.previous, start, chunk.previous)
  if (chunk.state.length === 0) return
  if (sources.state === null) return strategy.initialState(config).forEach((value, s) => chunk.state[s]?.fill(value))
  await readValues(sources.state, start * chunk.state.length, chunk.packed)
  unpackState(chunk.packed, chunk.state)
}

export interface ChunkSinks {
  readonly writeModel: (bytes: Uint8Array) => Promise<void>
  readonly writeState: (bytes: Uint8Array) => Promise<void>
}

export async function writeChunk({ weights, state, packed }: Chunk, sinks: ChunkSinks): Promise<void> {
  await sinks.writeModel(bytesOf(weights))
  if (state.length === 0) return
  packState(state, packed)
  await sinks.writeState(bytesOf(packed))
}

function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
}
