/** Keys and certificates in a node's directory: `keys/` and `tls/`, readable by their owner only. */

import { generateKeyPairSync } from 'node:crypto'
import { mkdir, readFile, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fromBase64Url, toBase64Url } from '../../base/bytes.ts'
import { EntenteError, fail } from '../../base/errors.ts'
import type { SecretKey } from '../../base/signature.ts'
import { CONFIG_FILE } from '../config.ts'
import { systemRandom } from '../random.ts'
import { replaceFile } from '../replace-file.ts'
import type { KeyedCertificate } from '../transport/tls.ts'

const SECRET_BYTES = 32

export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}

/** @throws already-exists if there is a node in the directory */
export async function refuseExisting(directory: string): Promise<void> {
  if (await exists(join(directory, CONFIG_FILE)))
    fail('already-exists', `${join(directory, CONFIG_FILE)} is there already: choose another directory`)
}

export async function writePrivate(directory: string, name: string, content: string): Promise<void> {
  const path = join(directory, name)
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  await replaceFile(path, content, 0o600)
}

/** @throws config-invalid if the file is not there */
export async function readNodeFile(directory: string, name: string): Promise<string> {
  try {
    return await readFile(join(directory, name), 'utf8')
  } catch (cause) {
    throw new EntenteError(
      'config-invalid',
      `${join(directory, name)} cannot be read: the directory is not that of a whole node`,
      { cause },
    )
  }
}

/** The Ed25519 seed in `keys/<name>.key`; made if it is not there. */
export async function ensureSecret(directory: string, name: string): Promise<SecretKey> {
  if (!(await exists(secretPath(directory, name))))
    await writePrivate(directory, `keys/${name}.key`, toBase64Url(systemRandom.bytes(SECRET_BYTES)))
  return readSecret(directory, name)
}

/** @throws config-invalid */
export async function readSecret(directory: string, name: string): Promise<SecretKey> {
  const secret = fromBase64Url((await readNodeFile(directory, `keys/${name}.key`)).trim())
  if (secret?.length !== SECRET_BYTES)
    fail('config-invalid', `${secretPath(directory, name)} is not a key of ${SECRET_BYTES} bytes`)
  return secret
}

const secretPath = (directory: string, name: string): string => join(directory, 'keys', `${name}.key`)

/** The public half of the X25519 key in `keys/agreement.json` (RFC 8037), raw, base64url; the pair is made if it is not there. */
export async function ensureAgreementKey(directory: string): Promise<string> {
  const name = 'keys/agreement.json'
  if (!(await exists(join(directory, name)))) {
    const { privateKey } = generateKeyPairSync('x25519')
    await writePrivate(directory, name, JSON.stringify(privateKey.export({ format: 'jwk' })))
  }
  const { x } = JSON.parse(await readNodeFile(directory, name)) as { x?: unknown }
  return typeof x === 'string' ? x : fail('config-invalid', `${join(directory, name)} is not an X25519 key`)
}

export async function writeKeyed(
  directory: string,
  name: string,
  { certificate, key }: KeyedCertificate,
): Promise<void> {
  await writePrivate(directory, `tls/${name}.key`, key)
  await writePrivate(directory, `tls/${name}.pem`, certificate)
}

export async function readKeyed(directory: string, name: string): Promise<KeyedCertificate> {
  return {
    certificate: await readNodeFile(directory, `tls/${name}.pem`),
    key: await readNodeFile(directory, `tls/${name}.key`),
  }
}
