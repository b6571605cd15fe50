/** Private training as the product does it, with reproducible randomness, and two ways to get it wrong. */

import { sha256 } from '../../../src/base/hash.ts'
import { utf8 } from '../../../src/base/bytes.ts'
import type { PrivateTraining } from '../../../src/models/dp-sgd/private-training.ts'
import { privateRandomness } from '../../../src/node/private-randomness.ts'
import { planStepNoise } from '../../../src/privacy/dp/dp-sgd.ts'

export interface PrivatePlan {
  readonly epsilon: number
  readonly delta: number
  readonly samplingRate: number
  readonly steps: number
  readonly clip: number
}

/** What an implementation may have wrong while it claims the plan. */
export type Defect = 'none' | 'noise halved' | 'clip not applied'

/** The training that claims to be `plan`. */
export function privateTraining(plan: PrivatePlan, seed: string, defect: Defect = 'none'): PrivateTraining {
  const { clipSteps, deviation } = planStepNoise(plan)
  const honest: PrivateTraining = {
    steps: plan.steps,
    samplingThreshold: Math.round(plan.samplingRate * 2 ** 32),
    clip: plan.clip,
    clipSteps,
    deviation,
    random: privateRandomness(sha256(utf8(`attacks/${seed}`))),
  }
  return broken(honest, defect)
}

/** No gradient of the audit is longer than so many clips. */
const FAR = 64

function broken(training: PrivateTraining, defect: Defect): PrivateTraining {
  if (defect === 'none') return training
  // The same grid and the same noise; only the length at which a gradient is cut is another.
  if (defect === 'clip not applied')
    return { ...training, clip: FAR * training.clip, clipSteps: FAR * training.clipSteps }
  const { u32, drawNoise } = training.random
  const halved = (deviation: number, out: Int32Array): void => {
    drawNoise(deviation, out)
    out.forEach((value, i) => (out[i] = Math.trunc(value / 2)))
  }
  return { ...training, random: { u32, drawNoise: halved } }
}
