/** What the training steps of the bench share: parameters with their moments, and the loss of two classes. */

import type { Prng } from '../src/base/prng.ts'
import type { Kernels } from '../src/models/kernels/kernels.ts'

/** One training step, forward, backward and Adam, that can be repeated. */
export interface TrainingStep {
  /** Takes a step; returns the mean loss before it. */
  step(): number
}

export interface Trained {
  /** Byte offsets of the tensors, in the order of the shapes. */
  readonly tensors: readonly number[]
  readonly gradients: readonly number[]
  adam(): void
}

/** Matrices of these shapes in the kernels' memory; a shape of one row is a bias and starts at zero. */
export function trained(kernels: Kernels, shapes: readonly (readonly [number, number])[], random: Prng): Trained {
  const { raw, arena } = kernels
  const length = shapes.reduce((sum, [rows, columns]) => sum + rows * columns, 0)
  const parameters = arena.allocate(4 * length)
  const gradient = arena.allocate(4 * length)
  const moments = arena.allocate(8 * length)
  arena.float32(moments, 2 * length).fill(0)
  const starts: number[] = []
  let at = 0
  for (const [rows, columns] of shapes) {
    starts.push(at)
    const bound = rows === 1 ? 0 : Math.sqrt(6 / rows)
    const values = arena.float32(parameters + 4 * at, rows * columns)
    for (let i = 0; i < values.length; i++) values[i] = (2 * random.uniform() - 1) * bound
    at += rows * columns
  }
  let [power1, power2] = [1, 1]
  return {
    tensors: starts.map((start) => parameters + 4 * start),
    gradients: starts.map((start) => gradient + 4 * start),
    adam() {
      power1 *= 0.9
      power2 *= 0.999
      const [rate, scale] = [1e-3 / (1 - power1), 1 / Math.sqrt(1 - power2)]
      raw.adam(parameters, gradient, moments, moments + 4 * length, length, rate, 0.9, 0.999, 1e-8, scale)
    },
  }
}

/** Cross-entropy of two classes: writes its gradient by the logits, returns the mean loss. */
export function crossEntropy(kernels: Kernels, logits: number, labels: Uint8Array, gradient: number): number {
  const { raw, arena } = kernels
  const rows = labels.length
  raw.softmax(logits, gradient, rows, 2)
  const values = arena.float32(gradient, 2 * rows)
  let loss = 0
  for (let i = 0; i < rows; i++) {
    const own = 2 * i + (labels[i] ?? 0)
    loss -= Math.log(values[own] ?? 0)
    values[own] = (values[own] ?? 0) - 1
  }
  raw.scale(1 / rows, gradient, 2 * rows)
  return loss / rows
}

export function randomFloats(kernels: Kernels, length: number, random: Prng): number {
  const offset = kernels.arena.allocate(4 * length)
  const values = kernels.arena.float32(offset, length)
  for (let i = 0; i < length; i++) values[i] = random.uniform() - 0.5
  return offset
}
