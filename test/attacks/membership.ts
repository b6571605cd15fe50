/**
 * Was a row in the training? The likelihood-ratio attack of Carlini et al. 2022 (LiRA, Algorithm 1, online): shadow models
 * train with and without the row; the confidence of the target, on the logit scale, is set against a normal of each.
 */

const DEVIATION_MIN = 1e-3

/** Margin of a logit towards a label: the logit scale on which confidences are nearly normal (section VI-B). */
export const marginOf = (logit: number, label: number): number => (label === 1 ? logit : -logit)

export interface Deviations {
  readonly whenIn: number
  readonly whenOut: number
}

const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

/** Root of the mean over rows of their variances: of few shadows a row's own is too uncertain (section VI-C). */
export function pooledDeviation(samples: readonly (readonly number[])[]): number {
  const variances = samples
    .filter((sample) => sample.length > 1)
    .map((sample) => {
      const mean = meanOf(sample)
      return sample.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (sample.length - 1)
    })
  return Math.max(DEVIATION_MIN, Math.sqrt(meanOf(variances)))
}

/** log of the likelihood of `value` when in, over that when out; positive speaks for membership. */
export function likelihoodRatio(
  value: number,
  whenIn: readonly number[],
  whenOut: readonly number[],
  deviations: Deviations = { whenIn: pooledDeviation([whenIn]), whenOut: pooledDeviation([whenOut]) },
): number {
  const logNormal = (mean: number, deviation: number): number =>
    -Math.log(deviation) - (value - mean) ** 2 / (2 * deviation * deviation)
  return logNormal(meanOf(whenIn), deviations.whenIn) - logNormal(meanOf(whenOut), deviations.whenOut)
}

export interface Operating {
  /** Share of the members that are called so. */
  readonly truePositive: number
  /** Share of the others that are called members. */
  readonly falsePositive: number
}

/** The lowest threshold with at most this share of false positives. */
export function operatingPoint(scores: readonly number[], isMember: readonly boolean[], rate: number): Operating {
  const order = scores.map((_, i) => i).sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0))
  const members = isMember.filter(Boolean).length
  const others = isMember.length - members
  let [hits, misses, best] = [0, 0, { truePositive: 0, falsePositive: 0 }]
  for (const [at, i] of order.entries()) {
    if (isMember[i] === true) hits++
    else misses++
    // Equal scores are on one side of any threshold.
    if (scores[order[at + 1] ?? -1] === scores[i]) continue
    if (misses > rate * others) break
    best = { truePositive: hits / members, falsePositive: misses / others }
  }
  return best
}

/** What (epsilon, delta) allows at a share of false positives: Wasserman and Zhou 2010; both kinds of error. */
export function truePositiveMax(falsePositive: number, epsilon: number, delta: number): number {
  return Math.min(1, Math.exp(epsilon) * falsePositive + delta, 1 - Math.exp(-epsilon) * (1 - delta - falsePositive))
}
