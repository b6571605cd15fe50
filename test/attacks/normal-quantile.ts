/** The quantile of the standard normal distribution. */

/** Phi(z), by the series of erf below 3 and the continued fraction beyond (Abramowitz and Stegun 7.1.6, 7.1.14). */
export function normalDistribution(z: number): number {
  const x = Math.abs(z) / Math.SQRT2
  const tail = x < 3 ? 1 - erfSeries(x) : erfcFraction(x)
  return z > 0 ? 1 - tail / 2 : tail / 2
}

function erfSeries(x: number): number {
  let term = x
  let sum = x
  for (let n = 1; Math.abs(term) > 1e-17 * sum; n++) {
    term *= (2 * x * x) / (2 * n + 1)
    sum += term
  }
  return ((2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum) as number
}

function erfcFraction(x: number): number {
  let fraction = x
  for (let n = 60; n >= 1; n--) fraction = x + n / 2 / fraction
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / fraction
}

/** z with Phi(z) = probability, by bisection to the last bits; probability in (0, 1). */
export function normalQuantile(probability: number): number {
  let [low, high] = [-40, 40]
  while (high - low > 1e-14) {
    const middle = (low + high) / 2
    if (middle === low || middle === high) break
    if (normalDistribution(middle) < probability) low = middle
    else high = middle
  }
  return (low + high) / 2
}
