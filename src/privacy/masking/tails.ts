/** Tails of the hypergeometric distribution as natural logarithms: chances of 2^-40 and far less, without underflow. */

const factorials: number[] = [0]

function logFactorial(n: number): number {
  for (let i = factorials.length; i <= n; i++) factorials.push((factorials[i - 1] ?? 0) + Math.log(i))
  return factorials[n] ?? Number.NaN
}

/** log C(n, k); -Infinity where there is no such choice. */
export function logChoose(n: number, k: number): number {
  if (k < 0 || k > n) return Number.NEGATIVE_INFINITY
  return logFactorial(n) - logFactorial(k) - logFactorial(n - k)
}

/** log(e^a + e^b). */
export function logAdd(a: number, b: number): number {
  const larger = Math.max(a, b)
  if (larger === Number.NEGATIVE_INFINITY) return larger
  return larger + Math.log1p(Math.exp(Math.min(a, b) - larger))
}

/** log P(X >= atLeast) for X = how many of `marked` among `drawn`, drawn from `population` without replacement. */
export function logTail(population: number, marked: number, drawn: number, atLeast: number): number {
  const last = Math.min(drawn, marked)
  if (atLeast <= Math.max(0, drawn - (population - marked))) return 0
  let tail = Number.NEGATIVE_INFINITY
  const all = logChoose(population, drawn)
  for (let x = atLeast; x <= last; x++)
    tail = logAdd(tail, logChoose(marked, x) + logChoose(population - marked, drawn - x) - all)
  return Math.min(0, tail)
}
