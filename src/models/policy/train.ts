/** Proximal policy optimisation with masked actions (Schulman et al. 2017; Huang and Ontanon 2022), and FedProx. */

import { fail } from '../../base/errors.ts'
import { prng, shuffle } from '../../base/prng.ts'
import type { Kernels } from '../kernels/kernels.ts'
import { createOptimiser } from '../optimiser.ts'
import type { Environment } from '../response/environment.ts'
import { estimateAdvantages, standardise } from './advantages.ts'
import type { PolicyPlan } from './plan.ts'
import { checkSizes, type Played, playRollout } from './rollout.ts'
import { type LossParts, openSession, type PolicyRows, type PolicySession } from './session.ts'

export interface PolicyTrainOptions {
  /** Rounds of playing and learning. */
  readonly iterations: number
  /** Episodes played in each, over all environments. */
  readonly episodes: number
  /** Passes over what was played in one iteration. */
  readonly epochs: number
  readonly batchSize: number
  readonly learningRate: number
  /** Lets the learning rate fall linearly to a tenth. */
  readonly anneal?: boolean
  readonly optimiser: 'adam' | 'sgd'
  /** FedProx: weight of `mu/2 ||w - w_start||^2`; 0 turns it off. */
  readonly proximalMu: number
  readonly seed: string
  readonly constants?: Partial<PolicyConstants>
}

export interface PolicyConstants {
  readonly discount: number
  readonly lambda: number
  readonly clip: number
  readonly entropyWeight: number
  readonly valueWeight: number
  /** Rewards are multiplied by it, so that values are of the size of 1. */
  readonly rewardScale: number
}

export const POLICY_CONSTANTS: PolicyConstants = {
  discount: 0.99,
  lambda: 0.95,
  clip: 0.2,
  entropyWeight: 0.01,
  valueWeight: 0.5,
  rewardScale: 0.1,
}

export interface PolicyIteration extends LossParts {
  readonly iteration: number
  /** Mean total reward of the episodes played. */
  readonly reward: number
}

export interface PolicyTrainResult {
  readonly parameters: Float32Array
  /** Of the last iteration: surrogate + valueWeight * value - entropyWeight * entropy. */
  readonly loss: number
  /** Mean total reward of the last iteration's episodes. */
  readonly reward: number
  /** Steps of the environment. */
  readonly steps: number
}

/**
 * Trains from `start`, which is left as it is. The same arguments give the same bits on any machine.
 * @throws wrong-shape, no-data, invalid-request; not-finite when training diverged
 */
export function trainPolicy(
  plan: PolicyPlan,
  kernels: Kernels,
  start: Float32Array,
  environments: readonly Environment[],
  options: PolicyTrainOptions,
  onIteration?: (iteration: PolicyIteration) => void,
): PolicyTrainResult {
  checkOptions(plan, start, options)
  const steps = checkSizes(plan.spec, environments)
  const rows = steps * options.episodes
  const session = openSession(plan, kernels, start, Math.max(Math.min(options.batchSize, rows), options.episodes))
  try {
    return iterate(plan, kernels, session, environments, options, onIteration)
  } finally {
    session.release()
  }
}

function checkOptions(plan: PolicyPlan, start: Float32Array, options: PolicyTrainOptions): void {
  if (start.length !== plan.parameterCount)
    fail('wrong-shape', `the policy has ${plan.parameterCount} parameters, ${start.length} were given`)
  const { iterations, episodes, epochs, batchSize, learningRate, proximalMu } = options
  for (const [name, value] of Object.entries({ iterations, episodes, epochs, batchSize }))
    if (!Number.isInteger(value) || value < 1) fail('invalid-request', `${name} must be a positive integer`)
  if (!(learningRate > 0) || !(proximalMu >= 0))
    fail('invalid-request', 'learningRate must be positive and proximalMu not negative')
}

function iterate(
  plan: PolicyPlan,
  kernels: Kernels,
  session: PolicySession,
  environments: readonly Environment[],
  options: PolicyTrainOptions,
  onIteration?: (iteration: PolicyIteration) => void,
): PolicyTrainResult {
  const constants = { ...POLICY_CONSTANTS, ...options.constants }
  const optimiser = createOptimiser(kernels.raw, session, plan.parameterCount, options)
  const random = prng(`ppo/${options.seed}`)
  let last: PolicyIteration | undefined
  let steps = 0
  for (let iteration = 0; iteration < options.iterations; iteration++) {
    const played = playRollout(plan.spec, session, environments, options.episodes, `${options.seed}/${iteration}`)
    steps += played.steps * played.rows
    const left = 1 - iteration / options.iterations
    const rate = options.learningRate * (options.anneal === true ? 0.1 + 0.9 * left : 1)
    const parts = learn(session, rowsOf(played, constants), options, constants, random, () => optimiser.step(rate))
    last = { iteration, reward: mean(played.totals), ...parts }
    onIteration?.(last)
  }
  const parameters = kernels.arena.float32(session.parameters, plan.parameterCount).slice()
  const { surrogate = 0, value = 0, entropy = 0, reward = 0 } = last ?? {}
  const loss = surrogate + constants.valueWeight * value - constants.entropyWeight * entropy
  if (!Number.isFinite(loss) || kernels.raw.finite(session.parameters, plan.parameterCount) === 0)
    fail('not-finite', 'training diverged: lower the learning rate')
  return { parameters, loss, reward, steps }
}

function rowsOf(played: Played, { discount, lambda, rewardScale }: PolicyConstants): PolicyRows {
  const rewards = played.rewards.map((reward) => reward * rewardScale)
  const { advantages, targets } = estimateAdvantages({ ...played, rewards }, discount, lambda)
  standardise(advantages)
  return { ...played, advantages, targets }
}

/** Passes over the rows in seeded minibatches; the means of the last pass. */
function learn(
  session: PolicySession,
  rows: PolicyRows,
  { epochs, batchSize }: PolicyTrainOptions,
  constants: PolicyConstants,
  random: ReturnType<typeof prng>,
  step: () => void,
): LossParts {
  const order = Uint32Array.from({ length: rows.actions.length }, (_, row) => row)
  let sums = [0, 0, 0, 0, 0]
  for (let epoch = 0; epoch < epochs; epoch++) {
    shuffle(order, random)
    sums = [0, 0, 0, 0, 0]
    for (let from = 0; from < order.length; from += batchSize) {
      const picked = order.subarray(from, from + batchSize)
      const { surrogate, value, entropy, divergence, held } = session.gradientOf(rows, picked, constants)
      step()
      const share = picked.length / order.length
      sums = [surrogate, value, entropy, divergence, held].map((part, i) => (sums[i] ?? 0) + share * part)
    }
  }
  const [surrogate = 0, value = 0, entropy = 0, divergence = 0, held = 0] = sums
  return { surrogate, value, entropy, divergence, held }
}

function mean(values: Float64Array): number {
  let sum = 0
  for (const value of values) sum += value
  return sum / values.length
}
