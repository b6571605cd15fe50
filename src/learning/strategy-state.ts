/**
 * The memory of a server optimiser as a file. Each tensor of the model appears under its own name with one more, last,
 * dimension: its states (m, v, ...) side by side at each coordinate. So a chunk of coordinates is one range of the file,
 * and the file can be written from front to back while the aggregation streams.
 */

import { fail } from '../base/errors.ts'
import { encodeHeader, type SafetensorsHeader } from '../models/formats/safetensors.ts'
import type { Strategy } from './strategies/strategy.ts'
import type { TensorReader } from './tensor-reader.ts'

export const STATE_FORMAT = 'entente-strategy-1'

function metadata({ name, stateNames }: Strategy): Record<string, string> {
  return { format: STATE_FORMAT, strategy: name, states: stateNames.join(',') }
}

/** The first bytes of a state file, up to its data. */
export function stateHeader(model: SafetensorsHeader, strategy: Strategy): Uint8Array {
  const tensors = model.tensors.map(({ name, shape }) => ({ name, shape: [...shape, strategy.stateNames.length] }))
  return encodeHeader(tensors, metadata(strategy))
}

/** @throws model-invalid unless the file is a state of this strategy for this model */
export function checkState(state: TensorReader, model: SafetensorsHeader, strategy: Strategy): void {
  const { format, strategy: name, states } = state.header.metadata
  const expected = metadata(strategy)
  const fits =
    format === expected['format'] &&
    name === expected['strategy'] &&
    states === expected['states'] &&
    state.header.dataLength === model.dataLength * strategy.stateNames.length &&
    state.header.tensors.every((tensor, i) => tensor.name === model.tensors[i]?.name)
  if (!fits) fail('model-invalid', `the state is not one of ${strategy.name} for this model`)
}

/** Splits what lies side by side at each coordinate into one array a state. */
export function unpackState(packed: Float32Array, states: readonly Float32Array[]): void {
  states.forEach((values, s) => {
    for (let i = 0; i < values.length; i++) values[i] = packed[i * states.length + s] ?? 0
  })
}

/** Inverse of {@link unpackState}. */
export function packState(states: readonly Float32Array[], packed: Float32Array): void {
  states.forEach((values, s) => {
    for (let i = 0; i < values.length; i++) packed[i * states.length + s] = values[i] ?? 0
  })
}
