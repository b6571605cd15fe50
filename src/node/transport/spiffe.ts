/**
 * Who a certificate is for: one URI in its subject alternative name, after the SPIFFE ID specification, section 2:
 * `spiffe://<federation>/organisation/<id>`, `.../hub` or `.../operator`. Host names play no part, so a hub may move.
 */

import type { TLSSocket } from 'node:tls'
import { fail } from '../../base/errors.ts'
import { type FederationId, federationId, type OrganisationId, organisationId } from '../../base/ids.ts'

export type Peer =
  | { readonly role: 'organisation'; readonly organisation: OrganisationId }
  | { readonly role: 'hub' }
  | { readonly role: 'operator' }

export function spiffeUri(federation: FederationId, peer: Peer): string {
  return `spiffe://${federation}/${peer.role === 'organisation' ? `organisation/${peer.organisation}` : peer.role}`
}

const SPIFFE = /^URI:spiffe:\/\/([a-z0-9.-]{1,127})\/(?:(hub|operator)|organisation\/([a-z0-9-]{1,63}))$/

/**
 * The identity in the `subjectAltName` text of a certificate that our CA issued.
 * @throws unauthenticated if it names nobody, several, or a member of another federation
 */
export function peerOfAltName(altName: string | undefined, federation: FederationId): Peer {
  const uris = (altName ?? '').split(', ').filter((name) => name.startsWith('URI:'))
  const match = uris.length === 1 ? SPIFFE.exec(uris[0] ?? '') : null
  if (match === null) fail('unauthenticated', 'the certificate does not carry exactly one SPIFFE identity')
  const [, domain = '', role, organisation = ''] = match
  if (federationId(domain) !== federation) fail('unauthenticated', `the certificate is for the federation ${domain}`)
  if (role === 'hub' || role === 'operator') return { role }
  return { role: 'organisation', organisation: organisationId(organisation) }
}

/** The verified peer of a connection; undefined when it showed no certificate of our CA. */
export function peerOfSocket(socket: TLSSocket, federation: FederationId): Peer | undefined {
  // `authorized` is the chain's verdict: without it the certificate is merely something that a stranger sent.
  if (!socket.authorized) return undefined
  const certificate = socket.getPeerX509Certificate()
  return certificate === undefined ? undefined : peerOfAltName(certificate.subjectAltName, federation)
}
