/**
 * A running weighted sum of many vectors, in a memory of its own that never grows: its input buffers stay valid, so files
 * are read straight into them and nothing is copied on the way to the sum.
 */

import { fail } from '../../base/errors.ts'
import { Arena, type LinearMemory, pagesFor } from './arena.ts'
import type { KernelExports } from './exports.ts'

export interface Accumulator {
  /** Values of the sum, and of each input. */
  readonly length: number
  /** To be filled by the caller, in place. */
  readonly inputs: readonly Float32Array<ArrayBuffer>[]
  /**
   * sum[j] += weights[i] * inputs[first + i][j] for the first `count` values, i after i, in float64: how the inputs are
   * grouped into calls changes no bit. Returns -1, or the index i of the first input with a value that is NaN or
   * infinite; the sum is spoiled then: reset or release it.
   */
  add(first: number, weights: readonly number[], count: number): number
  /** out[j] = sum[j] / total, rounded once, for the first out.length values. */
  mean(total: number, out: Float32Array): void
  reset(): void
  /** The accumulator and its inputs are not to be used afterwards. */
  release(): void
}

/** Makes an instance of the kernels over a memory of exactly so many pages. */
export type InstantiateFixed = (pages: number) => { readonly raw: KernelExports; readonly memory: LinearMemory }

/** Accumulators, of which the last one released is kept: a hub aggregates models of one size round after round. */
export function accumulatorsOver(instantiate: InstantiateFixed): (length: number, inputs: number) => Accumulator {
  let idle: Accumulator | undefined
  return (length, inputs) => {
    const kept = idle?.length === length && idle.inputs.length === inputs ? idle : undefined
    if (kept !== undefined) idle = undefined
    const own = kept ?? createAccumulator(instantiate, length, inputs)
    own.reset()
    return { ...own, release: () => void (idle = own) }
  }
}

/** Inputs that one pass over the sum takes. */
const GROUP = 4
/** More than the kernels' own data and the alignment of the blocks ever take. */
const SPARE_BYTES = 1 << 18

function createAccumulator(instantiate: InstantiateFixed, length: number, inputCount: number): Accumulator {
  if (!Number.isSafeInteger(length) || length < 1 || inputCount < 1)
    fail('internal', `an accumulator of ${inputCount} inputs of ${length} values cannot be made`)
  const { raw, memory } = instantiate(pagesFor((8 + 4 * inputCount + 4) * length + SPARE_BYTES))
  const arena = new Arena(memory, raw.MEMORY_BASE.value)
  const sum = arena.allocate(8 * length)
  const result = arena.allocate(4 * length)
  const offsets = Array.from({ length: inputCount }, () => arena.allocate(4 * length))

  /** Up to {@link GROUP} inputs: whole quadruples of values in one pass, the last three values singly. */
  function addGroup(inputs: readonly number[], weights: readonly number[], count: number): boolean {
    const [x0, x1, x2, x3] = inputs
    const [w0, w1, w2, w3] = weights
    const together = x0 !== undefined && x1 !== undefined && x2 !== undefined && x3 !== undefined ? count & ~3 : 0
    let finite = 1
    if (together > 0)
      finite = raw.accumulate4(sum, x0 ?? 0, x1 ?? 0, x2 ?? 0, x3 ?? 0, together, w0 ?? 0, w1 ?? 0, w2 ?? 0, w3 ?? 0)
    for (const [i, input] of inputs.entries())
      finite &= raw.accumulate(sum + 8 * together, input + 4 * together, count - together, weights[i] ?? 0)
    return finite === 1
  }

  function add(first: number, weights: readonly number[], count: number): number {
    const used = offsets.slice(first, first + weights.length)
    if (count > length || used.length !== weights.length)
      fail('wrong-shape', `${weights.length} inputs of ${count} values do not fit into ${inputCount} of ${length}`)
    for (let i = 0; i < used.length; i += GROUP)
      if (!addGroup(used.slice(i, i + GROUP), weights.slice(i, i + GROUP), count))
        return used.findIndex((input) => raw.finite(input, count) === 0)
    return -1
  }

  function mean(total: number, out: Float32Array): void {
    if (out.length > length) fail('wrong-shape', `${out.length} values are more than the ${length} of the sum`)
    raw.mean(sum, result, out.length, total)
    out.set(arena.float32(result, out.length))
  }

  return {
    length,
    inputs: offsets.map((offset) => arena.float32(offset, length)),
    add,
    mean,
    reset: () => void arena.float64(sum, length).fill(0),
    release: () => undefined,
  }
}
