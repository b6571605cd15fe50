/** Keys of a simulated federation: functions of names, so that every run of a seed signs the same bytes. */

import { utf8 } from '../src/base/bytes.ts'
import { sha256 } from '../src/base/hash.ts'
import { federationId } from '../src/base/ids.ts'
import { publicKeyOf, type SecretKey } from '../src/base/signature.ts'
import type { HubIdentity } from '../src/node/hub/identity.ts'
import type { Registration } from '../src/node/hub/registry.ts'
import type { OrganisationId } from '../src/base/ids.ts'

export const FEDERATION = federationId('simulated.example')

/** Never a key of anybody: the name says what it is for. */
export function simulatedSecret(name: string): SecretKey {
  return sha256(utf8(`simulated secret of ${name}`))
}

export const HUB_IDENTITY: HubIdentity = {
  federation: FEDERATION,
  secret: simulatedSecret('hub'),
  ledgerSecret: simulatedSecret('hub ledger'),
}

export function organisationIdentity(organisation: OrganisationId) {
  return {
    federation: FEDERATION,
    organisation,
    secret: simulatedSecret(organisation),
    hubKey: publicKeyOf(HUB_IDENTITY.secret),
    ledgerKey: publicKeyOf(HUB_IDENTITY.ledgerSecret),
  }
}

export function registrationOf(organisation: OrganisationId): Registration {
  return {
    organisation,
    signingKey: publicKeyOf(simulatedSecret(organisation)),
    agreementKey: publicKeyOf(simulatedSecret(`${organisation} agreement`)),
    endpoint: `https://${organisation}.example`,
    capabilities: ['training'],
  }
}
