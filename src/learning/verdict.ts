/**
 * What an organisation says of a model that it was sent: how much of the loss of a row is gone, over rows that nobody
 * trained on. The adversary is whoever makes models, the hub first: it could choose two that differ on one row only and
 * read that row off the answer. So the answer is differentially private in every row, by itself, whatever the training
 * promises: each row moves it by little, noise of ten times as much is added, and what is left is said in tenths.
 *
 * 1. A row counts from -1000 to 1000 thousandths of a nat, and there are at least {@link ROWS_MIN} of them: one row more
 *    or less, also one in another's place (held-out-rows.ts), moves the mean by at most {@link SENSITIVITY}.
 * 2. A discrete Gaussian is added to whole thousandths (Canonne, Kamath and Steinke 2020): {@link CONCENTRATION} a verdict.
 * 3. Clipping and rounding come after and see nothing but 2.
 */

import { fail } from '../base/errors.ts'
import { concentrationOf } from '../privacy/dp/local.ts'

/** Fewer rows say more about themselves than about the model. */
export const ROWS_MIN = 500
/** Of a row, and so of a mean, in thousandths of a nat. */
export const UNIT = 1000
/** L2 sensitivity of the mean in thousandths: from -UNIT to UNIT in one of ROWS_MIN rows. */
export const SENSITIVITY = (2 * UNIT) / ROWS_MIN
/** Standard deviation of the noise, in thousandths: a tenth of a nat. */
export const DEVIATION = 100
/** rho of one verdict (zero-concentrated differential privacy). */
export const CONCENTRATION = concentrationOf({ deviation: DEVIATION, sensitivity: SENSITIVITY })
/** Thousandths that a step of what is said has. */
const STEP = 100

/** What trying two models on the same rows gave. It never leaves the organisation. */
export interface Trial {
  readonly rows: number
  /** Sum over rows of what {@link gainOf} says. */
  readonly gain: number
}

/** Loss of a logit, in nats: softplus, without overflow. */
const lossOf = (logit: number, isAttack: boolean): number => {
  const wrong = isAttack ? -logit : logit
  return Math.max(wrong, 0) + Math.log1p(Math.exp(-Math.abs(wrong)))
}

/** Whole thousandths of a nat that the loss of a row fell by. A model without a finite answer is as bad as can be. */
export function gainOf(before: number, after: number, isAttack: boolean): number {
  if (!Number.isFinite(after)) return -UNIT
  if (!Number.isFinite(before)) return UNIT
  const gain = lossOf(before, isAttack) - lossOf(after, isAttack)
  return Math.round(UNIT * Math.max(-1, Math.min(1, gain)))
}

/**
 * What may be said: tenths of a nat from -1 to 1, as whole percent. `noise` is one draw of a discrete Gaussian of
 * {@link DEVIATION}.
 * @throws internal with too few rows for the guarantee
 */
export function verdictOf({ rows, gain }: Trial, noise: number): number {
  if (rows < ROWS_MIN) fail('internal', `a verdict over ${rows} rows would say too much about each`)
  const noisy = Math.max(-UNIT, Math.min(UNIT, Math.round(gain / rows) + noise))
  // `+ 0`: no minus zero.
  return (Math.round(noisy / STEP) * STEP * 100) / UNIT + 0
}
