/**
 * An organisation's own differential privacy in a round: reserve -> train -> draw -> spend -> let go. What the round costs
 * is set aside before any work, and spent, durably, before anything that depends on the data leaves the node (P4).
 */

import { EntenteError, fail } from '../../base/errors.ts'
import type { RoundId } from '../../base/ids.ts'
import type { TrainingConfig } from '../../learning/config.ts'
import { isDrownedInNoise, noiseOf, noiseOverClip, ORGANISATIONS_ADVISED } from '../../learning/organisation-privacy.ts'
import { concentrationOf, type LocalNoise, tableDelta, tableShare } from '../../privacy/dp/local.ts'
import type { NoiseTable } from '../../privacy/dp/table.ts'
import { OWN_DATA } from '../privacy-budget/privacy-budget.ts'
import type { OrganisationContext } from './identity.ts'
import { drawWith, forgetNoise, noiseSeed, tableOf } from './noise.ts'

export const TRAINING = 'training'

export interface Protection {
  readonly drawNoise: (deviation: number, out: Int32Array) => void
  /** Durable when it resolves. */
  spend(): Promise<void>
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
): Promise<(() => Promise<Protection>) | null> {
  const plan = noiseOf(config)
  if (plan === null || config.privacy === null) return null
  warnOfNoise(context, config, parameterCount)
  const table = tableOf(plan.deviation)
  const delta = tableDelta(config.privacy.epsilon, table.distance, parameterCount)
  if (delta > tableShare(config.privacy.delta) / config.rounds)
    fail('not-available', `a model of ${parameterCount} parameters is too large for so small a delta`)
  const cost = { kind: 'concentrated', rho: concentrationOf(plan), delta } as const
  await context.budget.reserve(roundId, { dataset: OWN_DATA, purpose: TRAINING, cost })
  return () => protection(context, roundId, plan, table)
}

async function protection(
  context: OrganisationContext,
  roundId: RoundId,
  plan: LocalNoise,
  table: NoiseTable,
): Promise<Protection> {
  const draw = drawWith(table, await noiseSeed(context, roundId))
  return {
    drawNoise(deviation, out) {
      if (deviation !== plan.deviation) fail('internal', 'the noise asked for is not the noise accounted for')
      draw(out)
    },
    spend: () => context.budget.spend(roundId),
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
