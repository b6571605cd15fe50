/** The attacks of the bench, each with the strength that it has there. */

import type { Attack } from '../../test/attacks/attack.ts'
import { alie, collusion, innerProduct, minMax } from '../../test/attacks/colluding.ts'
import { backdoor, labelFlip } from '../../test/attacks/data.ts'
import { freeRider, gaussian, replay, signFlip } from '../../test/attacks/updates.ts'
import { TRIGGER } from './problem.ts'

export const BACKDOOR = 'backdoor'

/** By column. An honest update is about 1 long in the first round. */
export const ATTACKS: Readonly<Record<string, Attack>> = {
  'label flip': labelFlip(),
  'sign flip x3': signFlip(3),
  'Gaussian': gaussian(1),
  'ALIE': alie(),
  'IPM 0.5': innerProduct(0.5),
  'min-max': minMax('unit'),
  'min-max, dev.': minMax('deviation'),
  [BACKDOOR]: backdoor(TRIGGER),
  'free-rider': freeRider(),
  'replay': replay(),
  'collusion': collusion(),
}
