/**
 * The federation's own certificate authority: P-256, one level. TLS keys are made where they are used and leave only as
 * a certificate request; they sign nothing but handshakes, so losing one never forges a contribution or a block.
 */

import 'reflect-metadata'
import { webcrypto } from 'node:crypto'
import { isIP } from 'node:net'
import * as x509 from '@peculiar/x509'
import { toHex } from '../../base/bytes.ts'
import { EntenteError, fail } from '../../base/errors.ts'
import type { FederationId } from '../../base/ids.ts'
import { type Peer, spiffeUri } from './spiffe.ts'
import type { Authority, KeyedCertificate } from './tls.ts'

x509.cryptoProvider.set(webcrypto as never)

const KEYS = { name: 'ECDSA', namedCurve: 'P-256' } as const
const SIGNATURE = { name: 'ECDSA', hash: 'SHA-256' } as const
const DAY_MS = 86_400_000
const AUTHORITY_DAYS = 3650
const LEAF_DAYS = 825

export interface CertificateRequest {
  /** PEM of the PKCS #10 request (RFC 2986). */
  readonly csr: string
  readonly key: string
}

type KeyPair = { readonly publicKey: webcrypto.CryptoKey; readonly privateKey: webcrypto.CryptoKey }

async function generateKeys(): Promise<KeyPair> {
  return (await webcrypto.subtle.generateKey(KEYS, true, ['sign', 'verify'])) as KeyPair
}

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  return x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY')
}

async function importKey(pem: string): Promise<webcrypto.CryptoKey> {
  const [der] = x509.PemConverter.decode(pem)
  if (der === undefined) fail('config-invalid', 'the key of the certificate authority is not PEM')
  return await webcrypto.subtle.importKey('pkcs8', der, KEYS, true, ['sign'])
}

/** RFC 5280 section 4.1.2.2: positive, at most 20 octets. */
function serialNumber(): string {
  const bytes = webcrypto.getRandomValues(new Uint8Array(16))
  bytes[0] = (bytes[0] ?? 0) & 0x7f
  return toHex(bytes)
}

const validity = (now: number, days: number) => ({
  notBefore: new Date(now - DAY_MS),
  notAfter: new Date(now + days * DAY_MS),
})

/** A new self-signed authority for one federation. `now` in milliseconds since the epoch. */
export async function createAuthority(federation: FederationId, now: number): Promise<Authority> {
  const keys = await generateKeys()
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: [{ CN: [`${federation} federation authority`.slice(0, 64)] }],
    ...validity(now, AUTHORITY_DAYS),
    signingAlgorithm: SIGNATURE,
    keys: keys as never,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey as never),
    ],
  })
  return { certificate: certificate.toString('pem'), key: await exportKey(keys.privateKey) }
}

/** A fresh TLS key and a request for a certificate over it; the subject is chosen by the authority, not asked for. */
export async function createRequest(): Promise<CertificateRequest> {
  const keys = await generateKeys()
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    keys: keys as never,
    signingAlgorithm: SIGNATURE,
  })
  return { csr: request.toString('pem'), key: await exportKey(keys.privateKey) }
}

async function parseRequest(csr: string): Promise<x509.Pkcs10CertificateRequest> {
  try {
    const request = new x509.Pkcs10CertificateRequest(csr)
    const { namedCurve } = request.publicKey.algorithm as { namedCurve?: string }
    if (namedCurve !== KEYS.namedCurve) fail('invalid-request', 'the certificate request must be over a P-256 key')
    if (await request.verify()) return request
  } catch (cause) {
    if (cause instanceof EntenteError) throw cause
    throw new EntenteError('invalid-request', 'the certificate request is malformed', { cause })
  }
  fail('signature-invalid', 'the certificate request is not signed by its own key')
}

function altNames(federation: FederationId, peer: Peer, hosts: readonly string[]): x509.JsonGeneralNames {
  const names = hosts.map((host) => ({ type: isIP(host) ? ('ip' as const) : ('dns' as const), value: host }))
  return [{ type: 'url', value: spiffeUri(federation, peer) }, ...names]
}

/**
 * The certificate that lets the holder of the requested key act as `peer`. Only the key is taken from the request: its
 * subject and extensions are a stranger's wishes. `hosts` are for tools that check host names; our own client does not.
 */
export async function issueCertificate(
  authority: Authority,
  csr: string,
  subject: { federation: FederationId; peer: Peer; now: number; hosts?: readonly string[] },
): Promise<string> {
  const request = await parseRequest(csr)
  const issuer = new x509.X509Certificate(authority.certificate)
  const usage = subject.peer.role === 'hub' ? x509.ExtendedKeyUsage.serverAuth : x509.ExtendedKeyUsage.clientAuth
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: [{ CN: [subject.peer.role === 'organisation' ? subject.peer.organisation : subject.peer.role] }],
    issuer: issuer.subject,
    ...validity(subject.now, LEAF_DAYS),
    publicKey: request.publicKey,
    signingKey: (await importKey(authority.key)) as never,
    signingAlgorithm: SIGNATURE,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([usage], true),
      new x509.SubjectAlternativeNameExtension(altNames(subject.federation, subject.peer, subject.hosts ?? []), false),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
    ],
  })
  return certificate.toString('pem')
}

/** Key and certificate in one go, for the roles whose key lives beside the authority: the hub and its operator. */
export async function issueKeyed(
  authority: Authority,
  subject: { federation: FederationId; peer: Peer; now: number; hosts?: readonly string[] },
): Promise<KeyedCertificate> {
  const request = await createRequest()
  return { certificate: await issueCertificate(authority, request.csr, subject), key: request.key }
}
