/**
 * `aggregation_quality`: what those who receive a model find when they try it on rows of their own that it was not
 * trained on. Every validator counts alike and the median decides, so that fewer than half who lie move it no further
 * than to what some honest one says.
 */

import type { OrganisationId } from '../../base/ids.ts'
import { medianOf } from './geometry.ts'

/** Of a verdict and of the quality: the mean loss of a row in nats, before minus after, from -1 to 1. */
export interface Validation {
  readonly organisation: OrganisationId
  readonly improvement: number
}

export interface AggregationQuality {
  /** Median over validators: 1 = every row lost a nat or more of its loss, 0 = as before, negative = worse. */
  readonly quality: number
  readonly validators: number
  /** For how many the model became clearly worse. */
  readonly worse: number
  /** The median validator finds the model clearly worse. */
  readonly collapsed: boolean
}

/** Of two validators none is in the middle. */
export const VALIDATORS_MIN = 3
/** Below the noise of a verdict by two and a half deviations (verdict.ts): one honest verdict in 160 is so by chance. */
export const COLLAPSE = -0.25

const isUsable = ({ improvement }: Validation): boolean => improvement >= -1 && improvement <= 1

/** Undefined with fewer than three validators: no figure is better than one organisation's. The first word of each counts. */
export function aggregationQuality(validations: readonly Validation[]): AggregationQuality | undefined {
  const usable = validations.filter(isUsable)
  const once = usable.filter((one, i) => usable.findIndex((other) => other.organisation === one.organisation) === i)
  if (once.length < VALIDATORS_MIN) return undefined
  const improvements = once.map(({ improvement }) => improvement)
  const quality = medianOf(improvements)
  const worse = improvements.filter((improvement) => improvement <= COLLAPSE).length
  return { quality, validators: once.length, worse, collapsed: quality <= COLLAPSE }
}
