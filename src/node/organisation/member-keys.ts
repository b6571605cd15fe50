/**
 * The identity keys of other members, as this node first saw them. The hub introduces members, so a key that was never
 * seen before is taken on its word; but it cannot later show another key in the name of one that is known.
 */

import { EntenteError, fail } from '../../base/errors.ts'
import type { OrganisationId } from '../../base/ids.ts'
import { publicKeyOf } from '../../base/signature.ts'
import type { Invited } from '../../privacy/masking/context.ts'
import type { OrganisationContext } from './identity.ts'

const valueOf = (organisation: OrganisationId): string => `member-key/${organisation}`

/** @throws impersonation if the hub shows another key of a member than before, or of this organisation itself */
export async function pinKeys(context: OrganisationContext, invited: readonly Invited[]): Promise<void> {
  const { identity, ports } = context
  requireOwnKey(context, invited)
  for (const { organisation, publicKey } of invited) {
    if (organisation === identity.organisation) continue
    const known = await ports.store.readValue(valueOf(organisation))
    if (known === undefined)
      await ports.store.transact((transaction) => transaction.setValue(valueOf(organisation), publicKey))
    else if (known !== publicKey)
      throw new EntenteError('impersonation', `the hub shows another identity key of ${organisation} than before`, {
        details: { organisation, known, shown: publicKey },
      })
  }
}

function requireOwnKey({ identity }: OrganisationContext, invited: readonly Invited[]): void {
  const own = invited.find(({ organisation }) => organisation === identity.organisation)
  if (own?.publicKey !== publicKeyOf(identity.secret))
    fail('impersonation', `the hub invites ${identity.organisation} with another identity key than its own`)
}
