/** The key of rounds under encryption, from the files of the key ceremony. */

import { fail } from '../../base/errors.ts'
import { isEncrypted } from '../../learning/encryption-config.ts'
import type { Protection } from '../../learning/masking-config.ts'
import type { HomomorphicScheme } from '../../privacy/homomorphic/scheme.ts'
import type { OrganisationConfig } from '../config.ts'
import type { EncryptionKey } from '../organisation/identity.ts'
import type { Lifecycle } from './lifecycle.ts'

/** Loaded only by nodes that have a key: the others' memory is not for it. */
const files = () => import('../homomorphic/ceremony.ts')

/** Opened when first needed, so that a hub can be there before its federation has dealt a key. */
export function openLater(
  key: { readonly parameters: string } | undefined,
  lifecycle: Lifecycle,
): { readonly encryption?: () => Promise<HomomorphicScheme> } {
  if (key === undefined) return {}
  let opened: Promise<HomomorphicScheme> | undefined
  return {
    async encryption() {
      opened ??= open(key.parameters, lifecycle)
      try {
        return await opened
      } catch (error) {
        opened = undefined
        throw error
      }
    },
  }
}

/** @throws config-invalid, input-invalid */
async function open(file: string, lifecycle: Lifecycle): Promise<HomomorphicScheme> {
  const { openScheme } = await import('../homomorphic/open.ts')
  const { readParameterFile } = await files()
  const scheme = await openScheme(await readParameterFile(file))
  lifecycle.onStop('encryption', () => scheme.close())
  return scheme
}

/** @throws config-invalid unless the share is this organisation's own; input-invalid */
export async function openKey(
  { encryption, organisation }: OrganisationConfig,
  lifecycle: Lifecycle,
): Promise<EncryptionKey | undefined> {
  if (encryption === undefined) return undefined
  const { readParameterFile, readShareFile } = await files()
  const parameters = await readParameterFile(encryption.parameters)
  const { organisation: owner, share } = await readShareFile(encryption.share, parameters)
  if (owner !== organisation) fail('config-invalid', `${encryption.share} is the share of ${owner}`)
  return { scheme: await open(encryption.parameters, lifecycle), share }
}

/** Rounds under encryption are declined at once where there is no share for them: training first would be for nothing. */
export function acceptedBy({ protections }: OrganisationConfig, key: EncryptionKey | undefined): Protection[] {
  return protections.filter((protection) => !isEncrypted(protection) || key?.scheme.kind === protection)
}
