/** Who carries out a kernel: the thread that calls, or a crew of threads among which the call is divided. */

import { type Arguments, type Division, divide, DIVISIBLE, type Divisible, finish } from './division.ts'
import type { KernelExports } from './exports.ts'

export interface Crew<Done = void> {
  /** The caller's included. */
  readonly threads: number
  /** Runs all pieces of a call, in any order, by whom it likes, and returns when the last one is done. */
  run(kernel: number, of: Arguments, pieces: number, partials: number): Done
}
/** Does not block: others have begun when `run` returns, and the caller's thread takes its part when it next waits. */
export type CrewBeside = Crew<Promise<void>>

/** Allocates and gives back what partial sums need. */
interface Memory {
  allocate(bytes: number): number
  release(offset: number): void
}

const allocatePartials = (memory: Memory, { partialBytes }: Division): number =>
  partialBytes === 0 ? 0 : memory.allocate(partialBytes)

/** The same kernels, those that can be divided being divided among a crew. */
export function dividedAmong(raw: KernelExports, memory: Memory, crew: Crew): KernelExports {
  function divided(kernel: number, whole: (...of: number[]) => unknown): (...of: number[]) => unknown {
    return (...of) => {
      const division = divide(raw, kernel, of, crew.threads)
      if (division === undefined) return whole(...of)
      const partials = allocatePartials(memory, division)
      try {
        crew.run(kernel, of, division.pieces, partials)
        finish(raw, kernel, of, division, partials)
      } finally {
        if (partials !== 0) memory.release(partials)
      }
      return undefined
    }
  }
  const replaced = DIVISIBLE.map((name, kernel) => [name, divided(kernel, raw[name] as (...of: number[]) => unknown)])
  return { ...raw, ...Object.fromEntries(replaced) } as KernelExports
}

/** Carries out one kernel; one at a time. It has begun when the call returns where there are others to do it. */
export type RunKernel = (name: Divisible, of: Arguments) => Promise<void>

/** In the thread that calls, as soon as it waits: what is to be read meanwhile is asked for before. */
export function runHere(raw: KernelExports): RunKernel {
  return async (name, of) => {
    await undefined
    const kernel = raw[name] as (...values: number[]) => unknown
    kernel(...of)
  }
}

/** Divided among a crew. */
export function runBeside(raw: KernelExports, memory: Memory, crew: CrewBeside): RunKernel {
  const here = runHere(raw)
  return async (name, of) => {
    const kernel = DIVISIBLE.indexOf(name)
    const division = divide(raw, kernel, of, crew.threads)
    if (division === undefined) return here(name, of)
    const partials = allocatePartials(memory, division)
    try {
      await crew.run(kernel, of, division.pieces, partials)
      finish(raw, kernel, of, division, partials)
    } finally {
      if (partials !== 0) memory.release(partials)
    }
  }
}
