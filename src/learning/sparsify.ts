/**
 * Only a part of an update leaves: `top-k`, its largest coordinates (Aji and Heafield 2017; Lin et al. 2018), or `random-k`,
 * a part that the round draws for all alike (the random masks of Konecny et al. 2016), so that masked and encrypted vectors
 * hold these coordinates and no others. With error feedback what stays behind is added to the next update (Stich et al.
 * 2018, Algorithm 1; Karimireddy et al. 2019, Algorithm 2): p = update + e; sent = C(p); e = p - sent.
 *
 * The clip comes after: whatever was left behind, what is sent is no longer than the clip, so the sensitivity of a round is
 * what it is without. What the clip takes away is not kept.
 */

import { z } from 'zod'
import { fail } from '../base/errors.ts'
import { prng } from '../base/prng.ts'
import type { StageRecord } from './stages.ts'

export const SPARSIFY_METHODS = ['top-k', 'random-k'] as const

export const sparsifySchema = z.strictObject({
  method: z.enum(SPARSIFY_METHODS),
  /** Of the model's parameters: how many an update changes. */
  fraction: z.number().gt(0).max(1),
  /** Whether what stays behind goes into later updates. */
  errorFeedback: z.boolean().default(true),
})
export type SparsifyConfig = z.infer<typeof sparsifySchema>

interface Asked {
  /** Absent in trainings of earlier versions. */
  readonly sparsify?: SparsifyConfig | null | undefined
  readonly seed: string
}

/** Rules that look at one coordinate after the other. */
const BY_COORDINATE: ReadonlySet<string> = new Set(['median', 'trimmed-mean', 'bulyan'])

/** Why this cannot be done; undefined if it can. */
export function sparsifyProblem({
  sparsify,
  robust,
}: Pick<Asked, 'sparsify'> & { readonly robust: { readonly rule: string } }): string | undefined {
  if (sparsify?.method !== 'top-k' || !BY_COORDINATE.has(robust.rule)) return undefined
  return `the rule ${robust.rule} would see mostly zeros where each organisation sends other coordinates: choose random-k`
}

export interface Sparsified {
  readonly update: Float32Array
  /** What is left for the next round; null without error feedback. */
  readonly residual: Float32Array | null
}

const keptOf = ({ fraction }: SparsifyConfig, length: number): number => Math.max(1, Math.ceil(fraction * length))

/** Coordinates that a masked or encrypted vector of such a training has. */
export function vectorLength({ sparsify }: Pick<Asked, 'sparsify'>, parameterCount: number): number {
  return sparsify?.method === 'random-k' ? keptOf(sparsify, parameterCount) : parameterCount
}

/**
 * The coordinates of a round, ascending, drawn evenly (Knuth, TAOCP 2, 3.4.2, S); null where a round has none in common. The
 * seed is public, and nothing that is promised rests on it: whoever chooses it chooses what is asked for, as it may anyway.
 */
export function supportOf({ sparsify, seed }: Asked, round: number, parameterCount: number): Uint32Array | null {
  if (sparsify?.method !== 'random-k') return null
  const random = prng(`sparsify/${seed}/${round}`)
  const support = new Uint32Array(keptOf(sparsify, parameterCount))
  let taken = 0
  for (let i = 0; taken < support.length; i++)
    if (random.uniform() * (parameterCount - i) < support.length - taken) support[taken++] = i
  return support
}

/** The values at these coordinates, and nothing elsewhere. */
export function restrictTo(support: Uint32Array, values: Float32Array): Float32Array {
  const kept = new Float32Array(values.length)
  for (const i of support) kept[i] = values[i] ?? 0
  return kept
}

export function gather(support: Uint32Array, values: Float32Array): Float32Array {
  return Float32Array.from(support, (i) => values[i] ?? 0)
}

/** The largest by magnitude, the first of equals. */
function largest(values: Float32Array, count: number): Float32Array {
  const magnitudes = values.map(Math.abs).sort()
  const least = magnitudes[values.length - count] ?? 0
  let equals = count - values.reduce((above, value) => above + (Math.abs(value) > least ? 1 : 0), 0)
  return values.map((value) => {
    const magnitude = Math.abs(value)
    return magnitude > least || (magnitude === least && equals-- > 0) ? value : 0
  })
}

/**
 * The part of this round's update that leaves. `residual` is what earlier rounds left behind; null in the first.
 * @throws wrong-shape if the residual is of another model
 */
export function sparsify(update: Float32Array, residual: Float32Array | null, asked: Asked, round: number): Sparsified {
  const { sparsify: how } = asked
  if (how === null || how === undefined) return { update, residual: null }
  if (residual !== null && residual.length !== update.length)
    fail('wrong-shape', `what was left behind has ${residual.length} values, the update ${update.length}`)
  const whole = how.errorFeedback && residual !== null ? update.map((value, i) => value + (residual[i] ?? 0)) : update
  const support = supportOf(asked, round, update.length)
  const sent = support === null ? largest(whole, keptOf(how, update.length)) : restrictTo(support, whole)
  // A coordinate is sent whole or not at all, so the difference is exact.
  return { update: sent, residual: how.errorFeedback ? whole.map((value, i) => value - (sent[i] ?? 0)) : null }
}

export function sparsifyRecord({ method, fraction, errorFeedback }: SparsifyConfig): StageRecord {
  const parameters = { method, fraction, error_feedback: errorFeedback ? 'yes' : 'no' }
  return { stage: 'sparsify', applied: true, norm_max: null, parameters }
}
