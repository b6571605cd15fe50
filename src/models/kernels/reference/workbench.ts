/** Copies arrays into the kernels' memory, runs, reads back and gives the memory back. */

import type { Arena } from '../arena.ts'
import type { Vector } from './ops.ts'

export type Placeable = Float64Array | Uint32Array | Uint8Array

/** An array in the kernels' memory: float64 became float32, integers stay. */
export interface Placed {
  readonly offset: number
  read(): Vector
  readIntegers(): Uint32Array
}

/** As many arguments as an operator takes: tuples would need one overload for each number. */
type PlacedArguments = readonly [Placed, Placed, Placed, Placed, Placed, Placed, Placed]
type Offsets = readonly [number, number, number, number, number, number, number]

export interface Bench {
  run<T>(arrays: readonly Placeable[], work: (...placed: PlacedArguments) => T): T
  /** What the first array is after the work. */
  changed(arrays: readonly Placeable[], work: (...offsets: Offsets) => void): Vector
  /** A new vector of that length, whose offset comes first. It holds NaN before, so that a gap is seen. */
  made(length: number, arrays: readonly Placeable[], work: (...offsets: Offsets) => void): Vector
}

export function createBench(arena: Arena): Bench {
  function place(array: Placeable): Placed {
    const offset = arena.allocate(4 * array.length)
    if (array instanceof Float64Array) arena.float32(offset, array.length).set(array)
    else arena.bytes(offset, array.byteLength).set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength))
    return {
      offset,
      read: () => Float64Array.from(arena.float32(offset, array.length)),
      readIntegers: () => new Uint32Array(arena.bytes(offset, 4 * array.length).slice().buffer),
    }
  }

  function run<T>(arrays: readonly Placeable[], work: (...placed: PlacedArguments) => T): T {
    const placed = arrays.map(place)
    try {
      return work(...(placed as unknown as PlacedArguments))
    } finally {
      for (const { offset } of placed) arena.release(offset)
    }
  }

  function changed(arrays: readonly Placeable[], work: (...offsets: Offsets) => void): Vector {
    return run(arrays, (...placed) => {
      work(...(placed.map(({ offset }) => offset) as unknown as Offsets))
      return placed[0].read()
    })
  }

  function made(length: number, arrays: readonly Placeable[], work: (...offsets: Offsets) => void): Vector {
    return changed([new Float64Array(length).fill(Number.NaN), ...arrays], work)
  }

  return { run, changed, made }
}
