/**
 * What a block says about privacy must be well-formed and must not claim more than its own record of stages shows: a
 * reader who sees an epsilon believes that noise was added.
 */

import type { Json } from '../base/canonical.ts'
import type { Fault } from './rules.ts'

type Members = { readonly [key: string]: Json }

const isObject = (value: Json | undefined): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function own(object: Members, key: string): Json | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined
}

/** Bounds: epsilon and clipping_norm positive or null, delta in [0, 1) or null. */
const BOUNDS: Readonly<Record<string, (value: number) => boolean>> = {
  epsilon: (value) => value > 0,
  delta: (value) => value >= 0 && value < 1,
  clipping_norm: (value) => value > 0,
}

function* boundFaults(parameters: Members): Generator<Fault> {
  for (const [name, within] of Object.entries(BOUNDS)) {
    const value = own(parameters, name)
    if (value === undefined || value === null) continue
    if (typeof value !== 'number' || !within(value))
      yield { reason: 'privacy-out-of-bounds', message: `privacy_params.${name} is out of bounds` }
  }
}

/** Whether every record of this stage, wherever in `stages`, says applied: true; undefined if there is none. */
function applied(stages: Json | undefined, stage: string): boolean | undefined {
  if (stages === undefined || stages === null || typeof stages !== 'object') return undefined
  if (isObject(stages) && own(stages, 'stage') === stage) return own(stages, 'applied') === true
  const answers = Object.values(stages)
    .map((inner: Json) => applied(inner, stage))
    .filter((answer) => answer !== undefined)
  return answers.length === 0 ? undefined : answers.every((answer) => answer)
}

/** Faults of a block's `privacy_params` (ledger document sections 3.5 and 6.1). */
export function* privacyFaults(parameters: Json): Generator<Fault> {
  if (!isObject(parameters)) return yield { reason: 'privacy-malformed', message: 'privacy_params is not an object' }
  yield* boundFaults(parameters)
  const claimed = own(parameters, 'epsilon') ?? null
  if (claimed !== null && applied(own(parameters, 'stages'), 'noise') !== true)
    yield { reason: 'privacy-claim-unsupported', message: 'an epsilon is claimed but no stage added noise' }
}
