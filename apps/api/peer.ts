/** Who is on the line, by the certificate of the connection. Each request asks the registry again: members may be removed. */

import type { TLSSocket } from 'node:tls'
import type { FastifyRequest } from 'fastify'
import { fail } from '../../src/base/errors.ts'
import type { OrganisationId } from '../../src/base/ids.ts'
import type { Hub } from '../../src/node/hub.ts'
import { type Peer, peerOfSocket } from '../../src/node/transport/spiffe.ts'

export function peerOf(hub: Hub, request: FastifyRequest): Peer | undefined {
  return peerOfSocket(request.raw.socket as TLSSocket, hub.federation)
}

/** For rate limits: a peer counts as itself on all its connections, a stranger as its address. */
export function rateKeyOf(hub: Hub, request: FastifyRequest): string {
  const socket = request.raw.socket as TLSSocket
  if (!socket.authorized) return `address/${request.ip}`
  const peer = peerOf(hub, request)
  return peer?.role === 'organisation' ? `organisation/${peer.organisation}` : `${peer?.role}`
}

/** @throws unauthenticated; unknown-organisation, organisation-removed */
export async function requireOrganisation(hub: Hub, request: FastifyRequest): Promise<OrganisationId> {
  const peer = peerOf(hub, request)
  if (peer?.role !== 'organisation') fail('unauthenticated', 'this needs the client certificate of an organisation')
  await hub.requireMember(peer.organisation)
  return peer.organisation
}

/** @throws unauthenticated without a certificate; forbidden for an organisation */
export function requireOperator(hub: Hub, request: FastifyRequest): void {
  const peer = peerOf(hub, request)
  if (peer === undefined) fail('unauthenticated', "this needs the operator's client certificate")
  if (peer.role !== 'operator') fail('forbidden', 'only the operator of the hub may do this')
}

/** A member or the operator; undefined for the operator. */
export async function requireReader(hub: Hub, request: FastifyRequest): Promise<OrganisationId | undefined> {
  return peerOf(hub, request)?.role === 'operator' ? undefined : requireOrganisation(hub, request)
}
