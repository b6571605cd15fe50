/** Joining: the one route that an organisation calls without a certificate, with an invitation instead. */

import type { FastifyRequest } from 'fastify'
import { toBase64Url, utf8 } from '../../../src/base/bytes.ts'
import { fail } from '../../../src/base/errors.ts'
import type { Hub } from '../../../src/node/hub.ts'
import { verifyPossession } from '../../../src/node/hub/registry.ts'
import { issueCertificate } from '../../../src/node/transport/certificates.ts'
import type { Authority } from '../../../src/node/transport/tls.ts'
import { requireOrganisation } from '../peer.ts'
import { parseOrganisation } from '../schemas/common.ts'
import { registerRequest, registerResponse, renewalRequest, renewalResponse } from '../schemas/federation.ts'
import type { Api } from '../server.ts'

/** An invitation is guessed at most so often: its token has 256 bits anyway. */
const RATE = { rateLimit: { max: 60, timeWindow: 60_000 } }

export function registrationRoutes(
  app: Api,
  prefix: string,
  hub: Hub,
  authority: Authority,
  authorityCertificate: string,
): void {
  app.post(
    `${prefix}/federation/register`,
    { config: RATE, schema: { body: registerRequest, response: { 200: registerResponse } } },
    async (request) => {
      const { org_id, public_key, endpoint, capabilities } = request.body
      const { signing: signingKey, agreement: agreementKey, csr, proof } = public_key
      const organisation = parseOrganisation(org_id)
      const registration = { organisation, signingKey, agreementKey, endpoint, capabilities }
      verifyPossession(hub.federation, registration, csr, proof)
      // Issued before it is registered, so that a malformed request does not use up the invitation.
      const subject = {
        federation: hub.federation,
        peer: { role: 'organisation' as const, organisation },
        now: hub.ports.clock.now(),
      }
      const certificate = await issueCertificate(authority, csr, subject)
      const receipt = await hub.register(bearerToken(request), registration)
      return {
        registration_token: toBase64Url(utf8(JSON.stringify(receipt))),
        global_config: {
          federation: hub.federation,
          hub_key: hub.publicKey,
          ledger: { origin: hub.federation, key: hub.ledgerKey },
          tls: { authority: authorityCertificate, certificate },
        },
      }
    },
  )
}

/** A member gets a certificate over a new key; the old one proves who asks. */
export function renewalRoutes(app: Api, prefix: string, hub: Hub, authority: Authority): void {
  app.post(
    `${prefix}/federation/certificate`,
    { config: RATE, schema: { body: renewalRequest, response: { 200: renewalResponse } } },
    async (request) => {
      const organisation = await requireOrganisation(hub, request)
      const peer = { role: 'organisation' as const, organisation }
      const subject = { federation: hub.federation, peer, now: hub.ports.clock.now() }
      return { certificate: await issueCertificate(authority, request.body.csr, subject) }
    },
  )
}

function bearerToken(request: FastifyRequest): string {
  const match = /^Bearer ([A-Za-z0-9_-]{1,256})$/.exec(request.headers.authorization ?? '')
  return (
    match?.[1] ?? fail('unauthenticated', 'registration needs the token of an invitation: "Authorization: Bearer ..."')
  )
}
