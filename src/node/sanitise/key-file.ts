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

/**
 * Keys of the file; where there is none, of a new secret for this scope that is then written there.
 * @throws config-invalid if it is no such file, or others may read it
 */
export async function openKeyFile(path: string, scope: KeyScope): Promise<SanitiseKeys> {
  const found = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    fail('config-invalid', `the keys in ${path} cannot be read: ${error.message}`)
  })
  if (found === undefined) return create(path, scope)
  if (!found.isFile()) fail('config-invalid', `${path} is not a file`)
  if ((found.mode & 0o077) !== 0) fail('config-invalid', `others may read ${path}: take that away with chmod 600`)
  return read(await readFile(path, 'utf8'), path)
}

async function create(path: string, scope: KeyScope): Promise<SanitiseKeys> {
  const secret = randomBytes(SECRET_BYTES)
  const content = { format: FORMAT, ...scope, secret: toBase64Url(secret) }
  await replaceFile(path, `${JSON.stringify(content, null, 2)}\n`, 0o600).catch((error: Error) =>
    fail('config-invalid', `the keys cannot be written: ${error.message}`),
  )
  return deriveKeys(secret, scope)
}

function read(text: string, path: string): SanitiseKeys {
  const parsed = keyFileSchema.safeParse(parseJson(text))
  const secret = parsed.success ? fromBase64Url(parsed.data.secret) : undefined
  if (!parsed.success || secret?.length !== SECRET_BYTES) fail('config-invalid', `${path} holds no keys of sanitising`)
  return deriveKeys(secret, { federation: parsed.data.federation, epoch: parsed.data.epoch })
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
