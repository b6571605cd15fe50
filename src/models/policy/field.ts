/** Episodes of one environment that run side by side, as a policy meets them: what it is shown, its mask, its rewards. */

import type { Prng } from '../../base/prng.ts'
import { writeMask } from '../response/blue.ts'
import type { Environment } from '../response/environment.ts'
import { createObserver } from './observer.ts'

/** Row-major arrays over all rows of a rollout; a field fills those of its own rows. */
export interface Field {
  /** Writes what the policy is shown of each row after these actions; undefined at the start. */
  show(actions: Uint32Array | undefined, out: Float32Array): void
  mask(out: Uint8Array): void
  step(actions: Uint32Array, rewards: Float64Array): void
}

/** One episode per stream, in the rows from `from` on. */
export function openField(environment: Environment, from: number, randoms: readonly Prng[]): Field {
  const { network, observationSize, actionCount } = environment
  const rows = randoms.length
  const observer = createObserver(network)
  const memory = observer.remember(rows)
  const batch = environment.start(rows)
  const raw = new Float32Array(rows * observationSize)
  for (let row = 0; row < rows; row++) raw.set(environment.observe(batch, row), row * observationSize)
  return {
    show(actions, out) {
      for (let row = 0; row < rows; row++) {
        const to = (from + row) * observer.size
        observer.observe(memory, row, raw, row * observationSize, actions?.[from + row], out, to)
      }
    },
    mask(out) {
      for (let row = 0; row < rows; row++)
        writeMask(network, batch, row, out.subarray((from + row) * actionCount, (from + row + 1) * actionCount))
    },
    step(actions, rewards) {
      const own = rewards.subarray(from, from + rows)
      environment.stepAll(batch, actions.subarray(from, from + rows), randoms, own, raw)
    },
  }
}
