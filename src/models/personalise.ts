/**
 * The personalised score: the shared model beside one of the organisation's own. Both are measured from what harmless rows of
 * the organisation get, and the higher of the two counts, so an attack passes only if neither knows it: the shared model brings
 * what others met, the own one what is strange at home and ordinary elsewhere, which averaging with others unlearns. Measured
 * against fine-tuned heads, fresh heads and a choice among them in decision 11.
 */

import { fail } from '../base/errors.ts'

/** Of the harmless rows so many stay below the level from which a model's scores are measured. */
const HARMLESS_SHARE = 0.99

/** What one model says of some rows, in logits. */
export interface Opinion {
  readonly scores: Float32Array
  /** Of {@link levelOf}; logits of two models do not mean the same. */
  readonly level: number
}

/** The 99th percentile of the scores that a model gives to harmless rows. @throws no-data; not-finite */
export function levelOf(harmless: Float32Array): number {
  if (harmless.length === 0) fail('no-data', 'there is no harmless row to measure scores from')
  if (!harmless.every(Number.isFinite)) fail('not-finite', 'a score is not a number: the model is damaged')
  return harmless.toSorted()[Math.floor(harmless.length * HARMLESS_SHARE)] as number
}

/** The higher opinion of each row; about 0 where one row in a hundred gives a false alarm. @throws wrong-shape */
export function personalisedScores(shared: Opinion, own?: Opinion): Float32Array {
  const scores = shared.scores.map((score) => score - shared.level)
  if (own === undefined) return scores
  const rows = own.scores.length
  if (rows !== scores.length) fail('wrong-shape', `${rows} scores of the own model beside ${scores.length}`)
  return scores.map((score, row) => Math.max(score, Math.fround((own.scores[row] as number) - own.level)))
}
