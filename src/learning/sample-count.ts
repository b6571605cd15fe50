/** The weight that an organisation claims for itself: its number of training rows, which nobody can check. */

import { fail } from '../base/errors.ts'

export interface Weighed {
  readonly privacy: object | null
  readonly model: { readonly kind: string }
  readonly local: { readonly rowsMax: number }
  readonly round: { readonly sampleCountMax: number }
}

/**
 * The largest weight that may be claimed. Under privacy all weigh 1, since counts come from the data. Otherwise it is what
 * an honest organisation can have at most: rows as many as a training takes of anybody, or steps of a game. A liar that claims
 * it weighs as much as the largest of the honest, and does not own the mean.
 */
export function weightMaxOf({ privacy, model, local, round }: Weighed): number {
  if (privacy !== null) return 1
  return model.kind === 'policy' ? round.sampleCountMax : Math.min(round.sampleCountMax, local.rowsMax)
}

/** @throws sample-count-invalid unless it is an integer from 1 to the cap of the policy */
export function checkSampleCount(sampleCount: number, sampleCountMax: number): void {
  if (!Number.isSafeInteger(sampleCount) || sampleCount < 1 || sampleCount > sampleCountMax)
    fail('sample-count-invalid', `a sample count is an integer from 1 to ${sampleCountMax}`, {
      sampleCount,
      sampleCountMax,
    })
}
