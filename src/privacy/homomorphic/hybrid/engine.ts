/** The work on vectors of version 2, in ranges of blocks, so that threads can share it; Paillier's own goes to its engine. */

import type { PowerOf } from '../numbers.ts'
import { paillierEngine, type PaillierTask } from '../paillier/engine.ts'
import { cover, uncover } from './cipher.ts'
import type { HybridKey } from './parameters.ts'

export type RingTask =
  /** `first` is the number of the first block. `key` and `seed` are secret. */
  | {
      readonly type: 'cover'
      readonly values: Int32Array
      readonly key: Int32Array
      readonly seed: Uint8Array
      readonly first: number
    }
  /** The sums, 4 bytes each in the machine's order; nothing at all when one is out of bounds. */
  | {
      readonly type: 'uncover'
      readonly cipher: Uint8Array
      readonly key: Int32Array
      readonly first: number
      readonly contributions: number
    }

export type HybridTask = PaillierTask | RingTask

export interface HybridLanes {
  readonly lanes: number
  run(task: HybridTask): Promise<Uint8Array>
}

export function hybridEngine(hybrid: HybridKey, powerOf: PowerOf): (task: HybridTask) => Uint8Array {
  const { ring, domain, inner } = hybrid
  const paillier = paillierEngine(inner, powerOf)
  return (task) => {
    switch (task.type) {
      case 'cover':
        return cover(ring, task.values, { ...task, domain }, task.seed)
      case 'uncover': {
        const sums = uncover(ring, task.cipher, { ...task, domain }, task.contributions)
        return sums === undefined ? new Uint8Array(0) : new Uint8Array(sums.buffer)
      }
      default:
        return paillier(task)
    }
  }
}

/** One after the other, in this thread. */
export function hybridInThisThread(hybrid: HybridKey, powerOf: PowerOf): HybridLanes {
  const engine = hybridEngine(hybrid, powerOf)
  return { lanes: 1, run: async (task) => engine(task) }
}
