/** An organisation's own log says that it sends updates in the clear: with the first round of a training, not with each. */

import type { RoundId } from '../../base/ids.ts'
import { trainingOf } from '../../learning/block-content.ts'
import { type Openness, warnInTheClear } from '../in-the-clear.ts'
import type { OrganisationContext } from './identity.ts'

/** The training that each node warned of last: it is said again after a restart, which does no harm. */
const warned = new WeakMap<OrganisationContext, string>()

interface Taken {
  readonly roundId: RoundId
  readonly round: number
  readonly config: Openness
}

export function warnOncePerTraining(context: OrganisationContext, { roundId, round, config }: Taken): void {
  const training = trainingOf(roundId, round)
  if (warned.get(context) === training) return
  warned.set(context, training)
  warnInTheClear(context.options.log, config, { training, round: roundId })
}
