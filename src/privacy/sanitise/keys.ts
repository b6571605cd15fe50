/**
 * Keys of sanitising, all derived from one secret of an organisation: HKDF-SHA256 (RFC 5869) with the purpose, the
 * federation and the epoch in `info`, so that no two of them ever share a key. A pseudonym of one federation or epoch
 * says nothing of the same value in another, to who has not got the secret; without it nobody undoes any.
 */

import { hkdfSync } from 'node:crypto'
import { concatBytes, utf8 } from '../../base/bytes.ts'
import { fail } from '../../base/errors.ts'
import { CRYPTO_PAN_KEY_BYTES } from './cryptopan.ts'

export interface SanitiseKeys {
  /** HMAC-SHA256: cannot be undone by anybody, but who holds it can try a value and compare. */
  readonly pseudonym: Uint8Array
  /** Crypto-PAn and FF1: who holds them can undo. */
  readonly address: Uint8Array
  readonly format: Uint8Array
}

export interface KeyScope {
  readonly federation: string
  /** Pseudonyms of different epochs cannot be linked. */
  readonly epoch: string
}

export const SECRET_BYTES = 32
const SCOPE_LENGTH_MAX = 255

/** @param secret - 32 bytes from a cryptographic generator @throws invalid-request */
export function deriveKeys(secret: Uint8Array, scope: KeyScope): SanitiseKeys {
  if (secret.length !== SECRET_BYTES) fail('invalid-request', `the secret of sanitising has ${SECRET_BYTES} bytes`)
  const derive = (purpose: string, length: number): Uint8Array =>
    new Uint8Array(hkdfSync('sha256', secret, new Uint8Array(), infoOf(purpose, scope), length))
  return {
    pseudonym: derive('pseudonym', 32),
    address: derive('crypto-pan', CRYPTO_PAN_KEY_BYTES),
    format: derive('ff1', 32),
  }
}

/** Each part after its length: no two different scopes spell the same bytes. */
function infoOf(purpose: string, { federation, epoch }: KeyScope): Uint8Array {
  const parts = ['entente/sanitise/1', purpose, federation, epoch].map((part) => utf8(part))
  if (parts.some(({ length }) => length === 0 || length > SCOPE_LENGTH_MAX))
    fail('invalid-request', `federation and epoch take 1 to ${SCOPE_LENGTH_MAX} bytes`)
  return concatBytes(...parts.flatMap((part) => [Uint8Array.of(part.length), part]))
}
