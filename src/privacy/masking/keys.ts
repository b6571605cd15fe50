/**
 * Every key of secure aggregation: X25519 (RFC 7748) pairs and agreements, and HKDF-SHA256 (RFC 5869) from them. Each
 * derived key has its purpose, round, pair and direction in `info`, and the digest of the roster as salt: a key made for one round,
 * one pair or one set of participants is of no use in another.
 */

import { createPrivateKey, createPublicKey, diffieHellman, hkdfSync, type KeyObject } from 'node:crypto'
import { concatBytes, fromBase64Url, fromHex, toBase64Url, utf8 } from '../../base/bytes.ts'
import { fail } from '../../base/errors.ts'
import type { RandomBytes } from './field.ts'

export const SEED_BYTES = 16
export const SECRET_BYTES = 32

/** DER before a raw X25519 private and public key (RFC 8410). */
const PKCS8 = fromHex('302e020100300506032b656e04220420') as Uint8Array
const SPKI = fromHex('302a300506032b656e032100') as Uint8Array

/** Raw X25519 public key, 32 bytes, base64url. */
export type AgreementKey = string

/** 255 random bits: an element of the share field, whichever they are. */
export function randomSecret(random: RandomBytes): Uint8Array {
  const secret = random(SECRET_BYTES).slice()
  secret[0] = (secret[0] ?? 0) & 0x7f
  return secret
}

export type AgreementSecret = KeyObject

export function agreementSecret(secret: Uint8Array): AgreementSecret {
  return createPrivateKey({ key: concatBytes(PKCS8, secret), format: 'der', type: 'pkcs8' })
}

export function agreementKeyOf(secret: AgreementSecret): AgreementKey {
  const spki = new Uint8Array(createPublicKey(secret).export({ format: 'der', type: 'spki' }))
  return toBase64Url(spki.subarray(SPKI.length))
}

/**
 * The shared secret of a pair.
 * @throws invalid-request for a key of small order: its owner, or a liar in between, would know every "shared" secret
 * (RFC 7748 section 6.1)
 */
export function agree(secret: AgreementSecret, peer: AgreementKey): Uint8Array {
  const raw = fromBase64Url(peer)
  if (raw?.length !== SECRET_BYTES) fail('invalid-request', 'an X25519 key has 32 bytes')
  try {
    return new Uint8Array(diffieHellman({ privateKey: secret, publicKey: publicKeyOf(peer, raw) }))
  } catch {
    return fail('invalid-request', 'an X25519 key is of small order')
  }
}

const parsed = new Map<AgreementKey, KeyObject>()
const PARSED_MAX = 4096

/** The hub meets each key of a round once for every dropout, and parsing takes almost as long as the agreement. */
function publicKeyOf(peer: AgreementKey, raw: Uint8Array): KeyObject {
  const known = parsed.get(peer)
  if (known !== undefined) return known
  const key = createPublicKey({ key: concatBytes(SPKI, raw), format: 'der', type: 'spki' })
  if (parsed.size >= PARSED_MAX) parsed.clear()
  parsed.set(peer, key)
  return key
}

export type KeyPurpose = 'share-box' | 'pair-mask' | 'self-mask' | 'randomness' | 'rounding'

/** HKDF-SHA256. The parts are names without NUL, so that no two lists of them give one `info`. */
export function deriveKey(
  material: Uint8Array,
  salt: Uint8Array,
  purpose: KeyPurpose,
  parts: readonly string[],
  length: number,
): Uint8Array {
  const info = utf8(['entente/v1/masking', purpose, ...parts].join('\0'))
  return new Uint8Array(hkdfSync('sha256', material, salt, info, length))
}

/** A key out of a secret that is of no further use, which is overwritten. */
export function consumeSecret(
  secret: Uint8Array,
  salt: Uint8Array,
  purpose: KeyPurpose,
  parts: readonly string[],
  length: number,
): Uint8Array {
  const key = deriveKey(secret, salt, purpose, parts, length)
  secret.fill(0)
  return key
}
