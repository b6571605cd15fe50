/** What an organisation checks of what the dealer handed it. */

import { fail } from '../../../base/errors.ts'
import type { PowerOf } from '../numbers.ts'
import { type OpenShare, type PaillierKey, readShare } from './parameters.ts'

/**
 * The share is the one behind its verification key, v_i = v^(Delta s_i) mod N^2 (Damgard and Jurik 2001, section 4.1). A share
 * that is not would get its holder named as a liar in every round.
 * @throws input-invalid
 */
export function checkShare(key: PaillierKey, json: unknown, powerOf: PowerOf): OpenShare {
  const share = readShare(json, key)
  const expected = powerOf(key.nSquared)(key.verificationBase, key.delta * share.secret)
  if (expected !== key.verificationKeys[share.index - 1])
    fail('input-invalid', `the share of ${share.organisation} is not behind its verification key`, {
      reason: 'wrong-share',
    })
  return share
}
