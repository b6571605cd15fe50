/** Certificates that end within three months are replaced when their process starts. */

import { X509Certificate } from 'node:crypto'
import { z } from 'zod'
import { fail } from '../../base/errors.ts'
import type { FederationId } from '../../base/ids.ts'
import { systemClock } from '../clock.ts'
import { API } from '../transport/client.ts'
import { createHttpClient } from '../transport/http.ts'
import type { Peer } from '../transport/spiffe.ts'
import type { Authority, KeyedCertificate, TlsMaterial } from '../transport/tls.ts'
import { readKeyed, writeKeyed } from './files.ts'

const RENEW_BEFORE_MS = 90 * 86_400_000
/** Loaded when a certificate is due: X.509 is 15 MB that an organisation's node otherwise never needs. */
const certificates = () => import('../transport/certificates.ts')

/** `now` in milliseconds since the epoch. */
export function isDue(certificate: string, now: number): boolean {
  return Date.parse(new X509Certificate(certificate).validTo) - now < RENEW_BEFORE_MS
}

/** The certificate `name` of the hub or its operator, issued anew if it is due: the authority is in the same directory. */
export async function currentCertificate(
  directory: string,
  name: 'hub' | 'operator',
  authority: Authority,
  subject: { federation: FederationId; peer: Peer; hosts?: readonly string[] },
): Promise<KeyedCertificate> {
  const held = await readKeyed(directory, name)
  const now = systemClock.now()
  if (!isDue(held.certificate, now)) return held
  const { issueKeyed } = await certificates()
  const fresh = await issueKeyed(authority, { ...subject, now })
  await writeKeyed(directory, name, fresh)
  return fresh
}

const renewalSchema = z.object({ certificate: z.string() })

/** An organisation asks with its old certificate for one over a new key. @throws unauthenticated if the old one has ended */
export async function renewAtHub(
  urls: readonly string[],
  federation: FederationId,
  material: TlsMaterial,
): Promise<KeyedCertificate> {
  const { createRequest } = await certificates()
  const { csr, key } = await createRequest()
  const http = createHttpClient({ urls, tls: { federation, material } })
  try {
    const answer = await http.call({ method: 'POST', path: `${API}/federation/certificate`, json: { csr } })
    const parsed = renewalSchema.safeParse(answer)
    return parsed.success
      ? { certificate: parsed.data.certificate, key }
      : fail('unavailable', 'the hub answered with no certificate')
  } finally {
    http.close()
  }
}
