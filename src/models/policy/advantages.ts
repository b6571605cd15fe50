/** Generalised advantage estimation (Schulman et al. 2016, equation 16) over episodes that run side by side. */

/** Of `steps` steps of `rows` episodes, step-major: element `t * rows + r`. */
export interface Trajectory {
  readonly steps: number
  readonly rows: number
  readonly rewards: Float64Array
  readonly values: Float32Array
  /** Value of what was seen after the last step of each row. */
  readonly lastValues: Float32Array
}

export interface Estimates {
  readonly advantages: Float32Array
  /** What the critic is to learn: advantage plus value. */
  readonly targets: Float32Array
}

/**
 * Episodes end because the clock says so and not because the game is over, so the value of the last state counts as if
 * they went on (Pardo et al. 2018, "partial-episode bootstrapping"): advice does not depend on the step.
 */
export function estimateAdvantages(trajectory: Trajectory, discount: number, lambda: number): Estimates {
  const { steps, rows, rewards, values, lastValues } = trajectory
  const advantages = new Float32Array(steps * rows)
  const targets = new Float32Array(steps * rows)
  for (let row = 0; row < rows; row++) {
    let next = lastValues[row] ?? 0
    let advantage = 0
    for (let at = (steps - 1) * rows + row; at >= 0; at -= rows) {
      const value = values[at] ?? 0
      advantage = (rewards[at] ?? 0) + discount * next - value + discount * lambda * advantage
      advantages[at] = advantage
      targets[at] = advantage + value
      next = value
    }
  }
  return { advantages, targets }
}

/** To mean 0 and standard deviation 1, in place. */
export function standardise(values: Float32Array): void {
  let sum = 0
  for (const value of values) sum += value
  const mean = sum / values.length
  let squares = 0
  for (const value of values) squares += (value - mean) * (value - mean)
  const deviation = Math.sqrt(squares / values.length) + 1e-8
  for (let i = 0; i < values.length; i++) values[i] = ((values[i] ?? 0) - mean) / deviation
}
