/**
 * An organisation's own differential privacy in a round: reserve -> draw the secret -> train -> spend -> let go. What the round costs
 * is set aside before any work, and spent, durably, before anything that depends on the data leaves the node (P4).
 */

import { canonicalJson } from '../../base/canonical.ts'
import { EntenteError, fail } from '../../base/errors.ts'
import type { RoundId } from '../../base/ids.ts'
import { countLength } from '../../learning/adaptive-clip.ts'
import type { TrainingConfig } from '../../learning/config.ts'
import { type ExampleMechanism, type ExamplePlan, mechanismOf } from '../../learning/example-privacy.ts'
import {
  isDrownedInNoise,
  isCentral,
  noiseOf,
  noiseOverClip,
  ORGANISATIONS_ADVISED,
  roundCost,
} from '../../learning/organisation-privacy.ts'
import { examplePlanOf } from '../../learning/privacy-config.ts'
import { lawOf } from '../../learning/mechanisms.ts'
import { purposeOf } from '../../learning/purpose.ts'
import { graphDelta } from '../../learning/shared-noise.ts'
import type { PrivateMechanism } from '../../models/dp-sgd/private-training.ts'
import type { CostOfNoise } from '../../privacy/dp/cost.ts'
import { TABLE_DISTANCE_MAX } from '../../privacy/dp/dp-sgd.ts'
import { drawMax, tableDelta, tableShare } from '../../privacy/dp/local.ts'
import { noiseTable } from '../private-randomness.ts'
import { OWN_DATA } from '../privacy-budget/privacy-budget.ts'
import type { PrivateRequest } from '../training.ts'
import type { OrganisationContext } from './identity.ts'
import { drawWith, forgetNoise, noiseSeed } from '../noise-seed.ts'

/** What a round may do, once its cost is set aside. */
export interface Protection {
  /** For unit `example`: what the trainer is to do. */
  readonly privately?: PrivateRequest
  /** For unit `organisation`. */
  readonly drawNoise?: (deviation: number, out: Int32Array) => void
  /** Durable when it resolves. @throws internal if the trainer did anything but what is accounted for */
  spend(done: PrivateMechanism | undefined): Promise<void>
}

/**
 * Sets the cost of this round aside; null for a training without privacy.
 * @throws budget-exceeded, with what is left and what it would take; not-available if the model is too large for the table
 */
export async function reserveProtection(
  context: OrganisationContext,
  roundId: RoundId,
  config: TrainingConfig,
  parameterCount: number,
): Promise<Protection | null> {
  const { privacy } = config
  if (privacy === null) return null
  const steps = examplePlanOf(config)
  const protect = steps === null ? organisationProtection(config) : exampleProtection(steps)
  warnOfNoise(context, config, parameterCount)
  const delta =
    tableDelta(privacy.epsilon, protect.distance, protect.draws * (parameterCount + countLength(config))) +
    protect.failure
  if (delta > tableShare(privacy.delta) / config.rounds)
    fail('not-available', `a model of ${parameterCount} parameters is too large for so small a delta`)
  const claim = { dataset: OWN_DATA, purpose: purposeOf(config), cost: { ...protect.cost, delta } }
  await context.budget.reserve(roundId, claim)
  const secret = await noiseSeed(context, roundId)
  return {
    ...protect.open(secret),
    async spend(done) {
      if (canonicalJson(done ?? null) !== canonicalJson(protect.mechanism))
        fail('internal', 'what the trainer did is not what was accounted for')
      await context.budget.spend(roundId)
    },
  }
}

interface Planned {
  readonly cost: CostOfNoise
  /** Draws for each parameter, and how far each is from the exact distribution at most. */
  readonly draws: number
  readonly distance: number
  /** Chance that the noise of others does not hide this organisation as it should. */
  readonly failure: number
  /** What the trainer has to say that it did; null if it adds no noise. */
  readonly mechanism: ExampleMechanism | null
  open(secret: Uint8Array): Omit<Protection, 'spend'>
}

function exampleProtection(plan: ExamplePlan): Planned {
  const mechanism = mechanismOf(plan)
  const { samplingRate, noiseMultiplier, steps } = mechanism
  return {
    cost: { kind: 'sampled-discrete-gaussian', samplingRate, noiseMultiplier, steps },
    draws: steps,
    distance: TABLE_DISTANCE_MAX,
    failure: 0,
    mechanism,
    open: (secret) => ({ privately: { ...plan, secret } }),
  }
}

function organisationProtection(config: TrainingConfig): Planned {
  const plan = noiseOf(config)
  if (plan === null) fail('internal', 'there is no plan for the noise of this training')
  const cost = roundCost(plan)
  // The hub's table is no further from exact.
  if (isCentral(config.privacy))
    return { cost, draws: 1, distance: TABLE_DISTANCE_MAX, failure: 0, mechanism: null, open: () => ({}) }
  const table = noiseTable(plan.deviation, lawOf(plan.mechanism))
  if (table.magnitudeMax > drawMax(plan.deviation)) fail('internal', 'the grid has no room for all noise of this table')
  return {
    cost,
    // Of a share: those of all honest survivors are as far from exact as this one.
    draws: plan.survivorsMin ?? 1,
    distance: table.distance,
    failure: plan.survivorsMin === null ? 0 : graphDelta(config.masking),
    mechanism: null,
    open: (secret) => {
      const draw = drawWith(table, secret)
      return {
        drawNoise(deviation, out) {
          if (deviation !== plan.deviation) fail('internal', 'the noise asked for is not the noise accounted for')
          draw(out)
        },
      }
    },
  }
}

function warnOfNoise({ options }: OrganisationContext, config: TrainingConfig, parameterCount: number): void {
  const { participantsMin } = config.round
  const ratio = noiseOverClip(config, parameterCount, participantsMin)
  if (!isDrownedInNoise(ratio, participantsMin)) return
  options.log?.warn(
    { participantsMin, advised: ORGANISATIONS_ADVISED, epsilon: config.privacy?.epsilon, noiseOverClip: ratio },
    'noise for whole organisations: with so few of them it may be all that is left of the model',
  )
}

/** After a round to which nothing was sent: what was set aside for it is free again, unless it was spent. */
export async function abandonProtection(
  context: OrganisationContext,
  roundId: RoundId,
  { privacy }: TrainingConfig,
): Promise<void> {
  if (privacy === null) return
  await forgetNoise(context, roundId)
  try {
    await context.budget.release(roundId)
  } catch (error) {
    if (!(error instanceof EntenteError) || error.code !== 'invalid-request') throw error
  }
}
