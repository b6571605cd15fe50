/**
 * Encryption at rest of what a machine must remember and nobody else may read: whoever copies the database, a backup or a
 * disk, without the node's keys, reads nothing. The same text gives the same bytes, so that a machine still replays: the
 * nonce of AES-256-GCM is a pseudo-random function of what is encrypted, as in SIV (Rogaway and Shrimpton 2006, section 4).
 */

import { createCipheriv, createDecipheriv, createHmac, hkdfSync } from 'node:crypto'
import { concatBytes, fromBase64Url, toBase64Url, utf8 } from '../base/bytes.ts'
import { canonicalJson } from '../base/canonical.ts'
import { fail } from '../base/errors.ts'
import type { SecretKey } from '../base/signature.ts'

const NONCE_BYTES = 12
const TAG_BYTES = 16

export interface Sealer {
  /** `label` says what it is; it opens under no other. Base64url of nonce, ciphertext and tag. */
  seal(label: string, value: unknown): string
  /** @throws internal for what was not sealed with this key under this label */
  open(label: string, sealed: string): unknown
  /** The same for many bytes: nonce, ciphertext and tag. A key of one purpose seals either values or bytes. */
  sealBytes(label: string, bytes: Uint8Array): Uint8Array
  /** @throws internal as `open` */
  openBytes(label: string, sealed: Uint8Array): Uint8Array
}

/** @param purpose - keys of two purposes tell nothing about each other */
export function createSealer(secret: SecretKey, purpose: string): Sealer {
  const derive = (part: string): Uint8Array =>
    new Uint8Array(hkdfSync('sha256', secret, utf8('entente/v1/at-rest'), utf8(`${purpose}/${part}`), 32))
  const [key, nonceKey] = [derive('encrypt'), derive('nonce')]

  function nonceOf(label: string, text: Uint8Array): Uint8Array {
    const hmac = createHmac('sha256', nonceKey)
    return new Uint8Array(
      hmac
        .update(utf8(`${label}\0`))
        .update(text)
        .digest()
        .subarray(0, NONCE_BYTES),
    )
  }

  function sealBytes(label: string, bytes: Uint8Array): Uint8Array {
    const nonce = nonceOf(label, bytes)
    const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(utf8(label))
    return concatBytes(nonce, cipher.update(bytes), cipher.final(), cipher.getAuthTag())
  }

  function openBytes(label: string, sealed: Uint8Array | undefined): Uint8Array {
    if (sealed === undefined || sealed.length < NONCE_BYTES + TAG_BYTES)
      fail('internal', 'what was sealed is malformed')
    try {
      const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, NONCE_BYTES)).setAAD(utf8(label))
      decipher.setAuthTag(sealed.subarray(-TAG_BYTES))
      return concatBytes(decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final())
    } catch {
      return fail('internal', `"${label}" was sealed with another key, or changed`)
    }
  }

  return {
    seal(label, value) {
      const text = utf8(canonicalJson(value))
      const sealed = sealBytes(label, text)
      text.fill(0)
      return toBase64Url(sealed)
    },
    open: (label, sealed) => JSON.parse(new TextDecoder().decode(openBytes(label, fromBase64Url(sealed)))),
    sealBytes,
    openBytes,
  }
}
