/** The special functions of privacy accounting, in logarithms where the values leave the range of a double. */

const SQRT_PI = Math.sqrt(Math.PI)

/** log(e^a + e^b); either may be -Infinity. */
export function logAdd(a: number, b: number): number {
  const high = Math.max(a, b)
  return high === Number.NEGATIVE_INFINITY ? high : high + Math.log1p(Math.exp(Math.min(a, b) - high))
}

/** log(e^a - e^b) for a >= b; -Infinity where rounding leaves nothing. */
export function logSubtract(a: number, b: number): number {
  if (b === Number.NEGATIVE_INFINITY) return a
  return a <= b ? Number.NEGATIVE_INFINITY : a + Math.log(-Math.expm1(b - a))
}

/** erf(x) e^(x^2) sqrt(pi) / 2 for 0 <= x <= 2 (Abramowitz and Stegun 7.1.6): a sum of positive terms, so nothing cancels. */
function scaledErf(x: number): number {
  let term = x
  let sum = x
  for (let n = 1; term > sum * 1e-17; n++) {
    term *= (2 * x * x) / (2 * n + 1)
    sum += term
  }
  return sum
}

/** erfc(x) e^(x^2) for x > 2 (Abramowitz and Stegun 7.1.14), the fraction cut where the next term is below rounding. */
function scaledErfc(x: number): number {
  let fraction = 0
  for (let k = Math.ceil(6 + 220 / (x * x)); k > 0; k--) fraction = k / 2 / (x + fraction)
  return 1 / (SQRT_PI * (x + fraction))
}

/** Complementary error function, relative error below 1e-13 until it underflows at x = 26.6. */
export function erfc(x: number): number {
  if (x < 0) return 2 - erfc(-x)
  if (x > 2) return Math.exp(-x * x) * scaledErfc(x)
  return 1 - (2 / SQRT_PI) * Math.exp(-x * x) * scaledErf(x)
}

/** log erfc(x), also where erfc(x) underflows. */
export function logErfc(x: number): number {
  return x > 2 ? Math.log(scaledErfc(x)) - x * x : Math.log(erfc(x))
}

/** Distribution function of the standard normal, with relative precision in its lower tail. */
export function normalCdf(x: number): number {
  return erfc(-x / Math.SQRT2) / 2
}
