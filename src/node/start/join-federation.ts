/** An organisation joins: keys are made here and stay here; the hub gets their public halves and returns a certificate. */

import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { fail } from '../../base/errors.ts'
import { type OrganisationId, organisationId } from '../../base/ids.ts'
import { publicKeyOf, sign } from '../../base/signature.ts'
import { systemClock } from '../clock.ts'
import { writeConfig } from '../config.ts'
import { configText, type OrganisationTemplate } from '../config-template.ts'
import { registrationStatement } from '../hub/registry.ts'
import type { Listen } from '../serving.ts'
import { API } from '../transport/client.ts'
import { createHttpClient } from '../transport/http.ts'
import { decodeInvitation, type Invitation } from '../transport/invitation.ts'
import { createRequest } from '../transport/certificates.ts'
import { ensureAgreementKey, ensureSecret, exists, readNodeFile, refuseExisting, writePrivate } from './files.ts'
import { writeMembership } from './membership.ts'

export interface Joining {
  readonly organisation: string
  readonly data?: OrganisationTemplate['data']
  readonly listen?: Listen
  readonly logLevel?: string
  /** Told to the hub; organisations dial out, so it may be empty. */
  readonly endpoint?: string
  readonly capabilities?: readonly string[]
}

const responseSchema = z.object({
  registration_token: z.string(),
  global_config: z.object({
    federation: z.string(),
    hub_key: z.string(),
    ledger: z.object({ origin: z.string(), key: z.string() }),
    tls: z.object({ authority: z.string(), certificate: z.string() }),
  }),
})

/**
 * Registers with the hub and makes the directory a node's. If the hub's answer is lost, the same call again succeeds: the
 * keys are on the disk before the hub sees them.
 * @throws invitation-invalid, organisation-exists, already-exists, unavailable
 */
export async function joinFederation(directory: string, invitation: string, joining: Joining): Promise<OrganisationId> {
  const organisation = organisationId(joining.organisation)
  const invited = decodeInvitation(invitation, systemClock.now())
  await mkdir(directory, { recursive: true, mode: 0o700 })
  await refuseExisting(directory)
  const answer = await register(invited, await registrationRequest(directory, invited, organisation, joining))
  const { federation, hub_key: hubKey, ledger, tls } = answer.global_config
  if (federation !== invited.federation)
    fail('invitation-invalid', 'the hub serves another federation than the invitation names')
  await writePrivate(directory, 'tls/authority.pem', invited.authority)
  await writePrivate(directory, 'tls/organisation.pem', tls.certificate)
  await writeMembership(directory, {
    federation,
    hubKey,
    ledgerKey: ledger.key,
    registrationToken: answer.registration_token,
  })
  await writeConfig(directory, configText(templateOf(invited, organisation, joining)))
  return organisation
}

function templateOf(
  { federation, urls }: Invitation,
  organisation: OrganisationId,
  joining: Joining,
): OrganisationTemplate {
  const { data, listen, logLevel } = joining
  return {
    role: 'organisation',
    federation,
    organisation,
    hubUrls: urls,
    ...(data === undefined ? {} : { data }),
    ...(listen === undefined ? {} : { listen }),
    ...(logLevel === undefined ? {} : { logLevel }),
  }
}

async function registrationRequest(
  directory: string,
  { federation }: Invitation,
  organisation: OrganisationId,
  joining: Joining,
) {
  const secret = await ensureSecret(directory, 'signing')
  const agreementKey = await ensureAgreementKey(directory)
  const csr = await ensureCertificateRequest(directory)
  const { endpoint = '', capabilities = ['train'] } = joining
  const registration = { organisation, signingKey: publicKeyOf(secret), agreementKey, endpoint, capabilities }
  const proof = sign('registration', registrationStatement(federation, registration, csr), secret)
  const public_key = { signing: registration.signingKey, agreement: agreementKey, csr, proof }
  return { org_id: organisation, public_key, endpoint, capabilities }
}

async function ensureCertificateRequest(directory: string): Promise<string> {
  if (!(await exists(join(directory, 'tls/organisation.csr')))) {
    const { csr, key } = await createRequest()
    await writePrivate(directory, 'tls/organisation.key', key)
    await writePrivate(directory, 'tls/organisation.csr', csr)
  }
  return readNodeFile(directory, 'tls/organisation.csr')
}

async function register({ urls, federation, authority, token }: Invitation, json: unknown) {
  const headers = { authorization: `Bearer ${token}` }
  const http = createHttpClient({ urls, tls: { federation, material: { authority } }, headers })
  try {
    const parsed = responseSchema.safeParse(
      await http.call({ method: 'POST', path: `${API}/federation/register`, json }),
    )
    return parsed.success
      ? parsed.data
      : fail('unavailable', 'the hub answered with something that is not a registration')
  } finally {
    http.close()
  }
}
