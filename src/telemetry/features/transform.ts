/** Fixed transforms to about [-3, 3]: no statistic of any data set is needed, so no organisation has to reveal one. */

/** Gaps beyond 30 days, and first contacts, look alike. */
const GAP_SECONDS_MAX = 2_592_000
/** Of a first contact. */
export const NEVER = Math.log1p(GAP_SECONDS_MAX) / 5 - 1

export function ofGap(seconds: number): number {
  return Math.log1p(Math.min(seconds, GAP_SECONDS_MAX)) / 5 - 1
}

/** 0 -> -1, 1 -> -0.69, 50 -> 0.77, 7,000 -> 3. */
export function ofCount(count: number): number {
  return Math.min(3, Math.log1p(count) * 0.45 - 1)
}

export function ofBytes(bytes: number): number {
  return Math.min(3, Math.log1p(bytes) / 5 - 1)
}

export function ofDuration(seconds: number): number {
  return Math.min(3, Math.log1p(seconds) / 3 - 1)
}

/**
 * Signed root of the chi-square of MIDAS (Bhatia et al. 2020, section 4.2): events of the last minute against those
 * that the history of the same entity leads one to expect.
 */
export function ofSurprise(observed: number, expected: number): number {
  return Math.max(-3, Math.min(3, Math.asinh((observed - expected) / Math.sqrt(expected + 1)) * 0.6))
}

/** A share in [0, 1] as [-1, 1]. */
export function ofShare(part: number, whole: number): number {
  return whole <= 0 ? 0 : Math.min(1, part / whole) * 2 - 1
}

/** Logarithm of a share of all that the organisation sees: whole -> 1, a thousandth of much -> -0.7. */
export function ofShareOfStream(part: number, whole: number): number {
  return clamp3((Math.log1p(part) - Math.log1p(whole)) / 4 + 1)
}

export const clamp3 = (value: number): number => Math.max(-3, Math.min(3, value))
