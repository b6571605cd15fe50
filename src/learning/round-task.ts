/**
 * What the participants of a round were asked to do. The adversary is a hub that asks one organisation for one thing and the
 * others for another, say steps of next to no length or a model that gives no gradient: their sum would be that one's update
 * (Pasquini, Francati and Ateniese 2022, "Eluding Secure Aggregation in Federated Learning via Model Inconsistency"). Keys
 * of a masked round are signed for this digest, so two versions of a round make no sum.
 */

import { digestOf } from '../base/hash.ts'
import type { Digest } from '../base/ids.ts'
import type { RoundAnnouncement } from './messages.ts'

export type RoundTask = Pick<RoundAnnouncement, 'round_id' | 'training_id' | 'round' | 'base_model' | 'config'>

export function taskOf({ round_id, training_id, round, base_model, config }: RoundTask): Digest {
  return digestOf({ round_id, training_id, round, base_model, config })
}
