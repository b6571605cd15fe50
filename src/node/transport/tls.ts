/** What the two ends of a connection show and believe: TLS 1.3, certificates of the federation's own authority. */

import { X509Certificate } from 'node:crypto'
import type { PeerCertificate } from 'node:tls'
import { EntenteError } from '../../base/errors.ts'
import type { FederationId } from '../../base/ids.ts'
import { peerOfAltName } from './spiffe.ts'

/** PEM texts of a certificate and of its PKCS #8 private key. */
export interface KeyedCertificate {
  readonly certificate: string
  readonly key: string
}

export type Authority = KeyedCertificate

/** What a TLS end shows and whom it believes; PEM. */
export interface TlsMaterial extends KeyedCertificate {
  readonly authority: string
}

/** SHA-256 of the certificate's DER, lowercase hex. */
export function fingerprint(certificate: string): string {
  return new X509Certificate(certificate).fingerprint256.replaceAll(':', '').toLowerCase()
}

/** TLS options of a client that believes only this federation's hub, whatever its address. */
export function clientTls(material: TlsMaterial | { readonly authority: string }, federation: FederationId) {
  return {
    ...('key' in material ? { cert: material.certificate, key: material.key } : {}),
    ca: [material.authority],
    minVersion: 'TLSv1.3' as const,
    // The address proves nothing; the authority's word that this is the hub does.
    checkServerIdentity: (_host: string, certificate: PeerCertificate): Error | undefined =>
      hubIdentityError(certificate, federation),
  }
}

function hubIdentityError(certificate: PeerCertificate, federation: FederationId): Error | undefined {
  try {
    const peer = peerOfAltName(certificate.subjectaltname, federation)
    return peer.role === 'hub'
      ? undefined
      : new EntenteError('unauthenticated', 'the server is not the hub of the federation')
  } catch (error) {
    return error as Error
  }
}

/**
 * TLS options of the hub. Certificates are asked for and their verdict is left to the routes, since health and
 * registration are served without; no resumption, so that every connection proves possession of its key.
 */
export function serverTls(material: TlsMaterial) {
  return {
    cert: material.certificate,
    key: material.key,
    ca: [material.authority],
    minVersion: 'TLSv1.3' as const,
    requestCert: true,
    rejectUnauthorized: false,
    sessionTimeout: 1,
  }
}
