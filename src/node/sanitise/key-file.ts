/** The secret of sanitising on disk: one file, readable by its owner only, made at first use. */

import { randomBytes } from 'node:crypto'
import { lstat, readFile } from 'node:fs/promises'
import { z } from 'zod'
import { fromBase64Url, toBase64Url } from '../../base/bytes.ts'
import { fail } from '../../base/errors.ts'
import { deriveKeys, type KeyScope, SECRET_BYTES, type SanitiseKeys } from '../../privacy/sanitise/keys.ts'
import { replaceFile } from '../replace-file.ts'

const FORMAT = 'entente-sanitise-keys-1'
const name = z.string().min(1).max(255)
const keyFileSchema = z.strictObject({ format: z.literal(FORMAT), federation: name, epoch: name, secret: z.string() })

/** Keys that nobody keeps: what they made can be linked within this run, and never be undone. */
export function freshKeys(): SanitiseKeys {
  return deriveKeys(randomBytes(SECRET_BYTES), { federation: 'none', epoch: 'once' })
}

/** Of a file for which nobody named one. */
const DEFAULT_SCOPE: KeyScope = { federation: 'none', epoch: '1' }

/**
 * Keys of the file's secret; where there is none, of a new secret that is then written there with its scope.
 * @param asked - holds for these keys, whatever scope the file was made with: who names a new epoch counts on pseudonyms
 *   that nobody can link with the last one. What is not named is the file's.
 * @throws config-invalid if it is no such file, or others may read it; invalid-request if a name is too long
 */
export async function openKeyFile(path: string, asked: Partial<KeyScope>): Promise<SanitiseKeys> {
  const found = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    fail('config-invalid', `the keys in ${path} cannot be read: ${error.message}`)
  })
  if (found === undefined) return create(path, { ...DEFAULT_SCOPE, ...asked })
  if (!found.isFile()) fail('config-invalid', `${path} is not a file`)
  if ((found.mode & 0o077) !== 0) fail('config-invalid', `others may read ${path}: take that away with chmod 600`)
  return read(await readFile(path, 'utf8'), path, asked)
}

async function create(path: string, scope: KeyScope): Promise<SanitiseKeys> {
  const secret = randomBytes(SECRET_BYTES)
  const keys = deriveKeys(secret, scope)
  const content = { format: FORMAT, ...scope, secret: toBase64Url(secret) }
  await replaceFile(path, `${JSON.stringify(content, null, 2)}\n`, 0o600).catch((error: Error) =>
    fail('config-invalid', `the keys cannot be written: ${error.message}`),
  )
  return keys
}

function read(text: string, path: string, asked: Partial<KeyScope>): SanitiseKeys {
  const parsed = keyFileSchema.safeParse(parseJson(text))
  const secret = parsed.success ? fromBase64Url(parsed.data.secret) : undefined
  if (!parsed.success || secret?.length !== SECRET_BYTES) fail('config-invalid', `${path} holds no keys of sanitising`)
  const { federation, epoch } = parsed.data
  return deriveKeys(secret, { federation, epoch, ...asked })
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
