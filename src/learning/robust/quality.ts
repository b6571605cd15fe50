/**
 * `aggregation_quality`: what those who receive a model find when they try it on data of their own. Each says its loss
 * before and after; every validator counts alike and the median decides, so that fewer than half who lie do not.
 */

import type { OrganisationId } from '../../base/ids.ts'
import { medianOf } from './geometry.ts'

export interface Validation {
  readonly organisation: OrganisationId
  /** Mean loss of the model before and after on the same rows, not trained on. */
  readonly lossBefore: number
  readonly lossAfter: number
  readonly rows: number
}

export interface AggregationQuality {
  /** Median over validators of the share of the loss that is gone: 1 = all, 0 = as before, -1 = twice the loss or more. */
  readonly quality: number
  readonly validators: number
  /** For whom the model became worse. */
  readonly worse: readonly OrganisationId[]
}

/** Fewer rows say more about chance than about the model. */
export const VALIDATION_ROWS_MIN = 50
/** Of two validators none is in the middle. */
export const VALIDATORS_MIN = 3
/** A loss that moves less than this is the same loss. */
const NOISE = 0.01

const isUsable = ({ lossBefore, lossAfter, rows }: Validation): boolean =>
  lossBefore > 0 &&
  Number.isFinite(lossBefore) &&
  lossAfter >= 0 &&
  !Number.isNaN(lossAfter) &&
  rows >= VALIDATION_ROWS_MIN

const improvement = ({ lossBefore, lossAfter }: Validation): number =>
  Math.max(-1, Math.min(1, (lossBefore - lossAfter) / lossBefore))

/** Undefined with fewer than three validators whose word can be used: no figure is better than one organisation's. */
export function aggregationQuality(validations: readonly Validation[]): AggregationQuality | undefined {
  const once = [...new Map(validations.map((one) => [one.organisation, one])).values()].filter(isUsable)
  if (once.length < VALIDATORS_MIN) return undefined
  const worse = once.filter((one) => improvement(one) < -NOISE).map(({ organisation }) => organisation)
  return { quality: medianOf(once.map(improvement)), validators: once.length, worse: worse.toSorted() }
}
