/** What a seed means for privacy: several trainings at once, each within the budget, together beyond it. */

import { prng } from '../src/base/prng.ts'
import type { Limits } from '../src/node/privacy-budget/privacy-budget.ts'
import { type Plan, planOf } from './plan.ts'

export interface PrivatePlan {
  /** Null: a budget, and trainings without noise. */
  readonly privacy: Readonly<Record<string, number | string>> | null
  /** Trainings that ask the same organisations at the same time. */
  readonly trainings: number
  /** What each organisation allows all of them together, and those for one purpose. */
  readonly limit: Limits
  /** How far the clock of an organisation jumps at each start, while things go wrong. */
  readonly clockJumpMs: number
}

const DELTA = 1e-5
/** What every training but the first is for: that one names none. */
export const OTHER_PURPOSE = 'tuning'
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
  const limit = limitsOf(seed, { epsilon: 1.2 + 2 * random.uniform(), delta: 2 * DELTA })
  const clockJumpMs = Math.round((random.uniform() - 0.5) * JUMP_MS_MAX)
  const protection = random.below(2) === 0 ? 'secagg' : 'plain'
  const scenario = { ...plan.scenario, strategy: 'fedavg', protection, proximalMu: 0, clipNorm: null } as const
  return { ...plan, scenario, forgery: 0, private: { privacy, trainings, limit, clockJumpMs } }
}

/** Half of the seeds hold the other purpose to less than the whole. */
function limitsOf(seed: string, whole: Limits): Limits {
  const random = prng(`purposes/${seed}`)
  if (random.below(2) === 0) return whole
  const epsilon = whole.epsilon * (0.3 + 0.6 * random.uniform())
  return { ...whole, purposes: { [OTHER_PURPOSE]: { epsilon, delta: whole.delta } } }
}
