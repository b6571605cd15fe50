/** What a seed means for privacy: several trainings at once, each within the budget, together beyond it. */

import { prng } from '../src/base/prng.ts'
import type { Limit } from '../src/privacy/dp/budget.ts'
import { type Plan, planOf } from './plan.ts'

export interface PrivatePlan {
  /** Null: a budget, and trainings without noise. */
  readonly privacy: Readonly<Record<string, number | string>> | null
  /** Trainings that ask the same organisations at the same time. */
  readonly trainings: number
  /** What each organisation allows all of them together. */
  readonly limit: Limit
  /** How far the clock of an organisation jumps at each start, while things go wrong. */
  readonly clockJumpMs: number
}

const DELTA = 1e-5
/** Beyond five minutes letters are refused, rightly, and nothing more would happen. */
const JUMP_MS_MAX = 240_000

/** The troubles of the seed, with privacy of one unit or the other, in the clear or masked. */
export function privatePlanOf(seed: string): Plan {
  const plan = planOf(seed)
  const random = prng(`private plan/${seed}`)
  const ofRows = random.below(2) === 0
  const privacy = ofRows
    ? { unit: 'example', epsilon: 2, delta: DELTA, rowsPerHost: 8 }
    : { unit: 'organisation', mechanism: 'local-discrete-gaussian', epsilon: 2, delta: DELTA, clip: 0.5 }
  const trainings = 2 + random.below(2)
  const limit = { epsilon: 1.2 + 2 * random.uniform(), delta: 2 * DELTA }
  const clockJumpMs = Math.round((random.uniform() - 0.5) * JUMP_MS_MAX)
  const protection = random.below(2) === 0 ? 'secagg' : 'plain'
  const scenario = { ...plan.scenario, strategy: 'fedavg', protection, proximalMu: 0, clipNorm: null } as const
  return { ...plan, scenario, forgery: 0, private: { privacy, trainings, limit, clockJumpMs } }
}
