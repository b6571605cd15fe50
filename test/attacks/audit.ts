/**
 * A lower bound on epsilon from one training: Steinke, Nasr, Jagielski 2023, "Privacy auditing with one (1) training run".
 * Of m canaries a fair coin puts each into the training or not; who sees what the training released guesses for r of them
 * which it was. With v right guesses, (epsilon, delta) is refuted at a confidence if so many were too unlikely under it.
 */

export interface Guesses {
  /** Canaries, each in or out by a coin of its own. */
  readonly canaries: number
  /** Guesses made; the others were passed. */
  readonly made: number
  readonly right: number
}

/** log of k!, exact enough for a million. */
function logFactorials(max: number): Float64Array {
  const table = new Float64Array(max + 1)
  for (let k = 1; k <= max; k++) table[k] = (table[k - 1] ?? 0) + Math.log(k)
  return table
}

/** P[Binomial(count, probability) = k] for k = 0..count. */
export function binomialMasses(count: number, probability: number): Float64Array {
  const logs = logFactorials(count)
  const [yes, no] = [Math.log(probability), Math.log1p(-probability)]
  return Float64Array.from({ length: count + 1 }, (_, k) =>
    Math.exp((logs[count] ?? 0) - (logs[k] ?? 0) - (logs[count - k] ?? 0) + k * yes + (count - k) * no),
  )
}

/**
 * Bound on the probability of at least so many right guesses under (epsilon, delta): Theorem 5.2 for one bit a canary,
 * beta + alpha m delta with beta = P[B >= v], B = Binomial(r, e^epsilon / (1 + e^epsilon)), and alpha the largest
 * 2 P[v > B >= v - i] / i over i = 1..v.
 */
export function probabilityOfGuesses(
  { canaries, made, right }: Guesses,
  { epsilon, delta }: { readonly epsilon: number; readonly delta: number },
): number {
  const masses = binomialMasses(made, 1 / (1 + Math.exp(-epsilon)))
  let beta = 0
  for (let k = right; k <= made; k++) beta += masses[k] ?? 0
  let [alpha, below] = [0, 0]
  for (let i = 1; i <= right; i++) {
    below += masses[right - i] ?? 0
    alpha = Math.max(alpha, (2 * below) / i)
  }
  return Math.min(1, beta + alpha * canaries * delta)
}

const EPSILON_MAX = 30

/** The largest epsilon that the guesses refute at this delta; 0 if none. */
export function empiricalEpsilon(guesses: Guesses, delta: number, confidence = 0.95): number {
  const isRefuted = (epsilon: number): boolean => probabilityOfGuesses(guesses, { epsilon, delta }) < 1 - confidence
  if (guesses.made === 0 || !isRefuted(0)) return 0
  let [low, high] = [0, EPSILON_MAX]
  while (high - low > 1e-6) {
    const middle = (low + high) / 2
    if (isRefuted(middle)) low = middle
    else high = middle
  }
  return low
}

/**
 * Guesses by score, as in their Algorithm 1: the `each` highest are guessed in, the `each` lowest out. How many is chosen
 * before the scores are seen, or the confidence is not what it says.
 */
export function guessByScore(scores: ArrayLike<number>, isIn: readonly boolean[], each: number): Guesses {
  const order = Array.from(isIn, (_, i) => i).sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0))
  const highest = order.slice(0, each).filter((i) => isIn[i] === true).length
  const lowest = order.slice(-each).filter((i) => isIn[i] === false).length
  return { canaries: isIn.length, made: 2 * each, right: highest + lowest }
}
