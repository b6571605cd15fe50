/**
 * `privacy_budget_used` of the ledger document, section 5.2: the sum of 1 / sigma^2. A diagnostic, and no guarantee: it knows
 * neither delta nor sampling, so nothing is decided by it. What is accounted for is the epsilon of a block.
 */

import { documentFormula, type SampledGaussian } from '../privacy/dp/rdp.ts'
import { EXAMPLE_MECHANISM, exampleMechanism } from './example-privacy.ts'
import { guaranteeOf } from './privacy-config.ts'
import type { StageRecord } from './stages.ts'

/**
 * Of an organisation that went through these stages in so many rounds, sigma being the noise over the sensitivity; undefined
 * where the stages prove no privacy at all. @throws invalid-request for records that do not go together
 */
export function documentBudgetUsed(stages: readonly StageRecord[], rounds: number): number | undefined {
  if (guaranteeOf(stages, rounds) === null) return undefined
  const parameters = stages.find(({ stage, applied }) => stage === 'noise' && applied)?.parameters ?? {}
  if (parameters['mechanism'] === EXAMPLE_MECHANISM) return documentFormula([exampleMechanism(parameters, rounds)])
  return documentFormula([releasesOf(parameters, rounds)])
}

/** Of whole organisations: one release a round. Of shares the sum counts, with the fewest survivors. */
function releasesOf(parameters: NonNullable<StageRecord['parameters']>, steps: number): SampledGaussian {
  const { deviation, sensitivity, survivors = 1 } = parameters
  const noiseMultiplier = (Number(deviation) * Math.sqrt(Number(survivors))) / Number(sensitivity)
  return { samplingRate: 1, noiseMultiplier, steps }
}
