/** A new federation: its authority, the keys of its hub, and a certificate for the operator. */

import { mkdir } from 'node:fs/promises'
import { federationId } from '../../base/ids.ts'
import { systemClock } from '../clock.ts'
import { writeConfig } from '../config.ts'
import { configText } from '../config-template.ts'
import type { Listen } from '../serving.ts'
import { createAuthority, issueKeyed } from '../transport/certificates.ts'
import { ensureSecret, refuseExisting, writeKeyed } from './files.ts'

export interface HubInitialisation {
  readonly federation: string
  readonly listen?: Listen
  readonly logLevel?: string
}

/** Fills an empty directory. The configuration comes last: with it, the directory is a hub. @throws already-exists, invalid-request */
export async function initHub(
  directory: string,
  { federation: name, listen, logLevel }: HubInitialisation,
): Promise<void> {
  const federation = federationId(name)
  await mkdir(directory, { recursive: true, mode: 0o700 })
  await refuseExisting(directory)
  const now = systemClock.now()
  await ensureSecret(directory, 'envelope')
  await ensureSecret(directory, 'ledger')
  const authority = await createAuthority(federation, now)
  await writeKeyed(directory, 'authority', authority)
  const hosts = [...new Set(['localhost', '127.0.0.1', ...(listen === undefined ? [] : [listen.host])])]
  await writeKeyed(directory, 'hub', await issueKeyed(authority, { federation, peer: { role: 'hub' }, now, hosts }))
  await writeKeyed(directory, 'operator', await issueKeyed(authority, { federation, peer: { role: 'operator' }, now }))
  const optional = { ...(listen === undefined ? {} : { listen }), ...(logLevel === undefined ? {} : { logLevel }) }
  await writeConfig(directory, configText({ role: 'hub', federation, ...optional }))
}
