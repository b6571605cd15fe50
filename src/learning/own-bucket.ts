/** Where an organisation hides in an announced round, as it works it out itself. */

import { fail } from '../base/errors.ts'
import type { OrganisationId, RoundId } from '../base/ids.ts'
import type { Invited } from '../privacy/masking/context.ts'
import { bucketsOf, maskingIdOf } from './masking-config.ts'
import type { RoundAnnouncement } from './messages.ts'

export interface OwnBucket {
  readonly maskingId: RoundId
  readonly invited: readonly Invited[]
  /** Of the round. */
  readonly buckets: number
}

/** @throws not-a-participant if the announcement does not say among whom to hide; invalid-request for too few for its rule */
export function ownBucket(announcement: RoundAnnouncement, organisation: OrganisationId): OwnBucket {
  const { config, round_id: roundId, base_model: baseModel, invited = [] } = announcement
  const buckets = bucketsOf({ config, roundId, baseModel, invited })
  const k = buckets.findIndex((bucket) => bucket.some((one) => one.organisation === organisation))
  const own = buckets[k] ?? fail('not-a-participant', 'the announcement does not say among whom to hide')
  return { maskingId: maskingIdOf(roundId, k, buckets.length), invited: own, buckets: buckets.length }
}
