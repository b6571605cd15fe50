/**
 * Ed25519 (RFC 8032) with domain separation: what is signed is `entente/v1/<domain>\0` followed by the message, so that
 * a signature made for one purpose never verifies for another, whatever the adversary lets us sign.
 */

import { createPrivateKey, createPublicKey, type KeyObject, sign as nodeSign, verify as nodeVerify } from 'node:crypto'
import { concatBytes, fromBase64Url, toBase64Url, utf8 } from './bytes.ts'

/** Raw Ed25519 public key, 32 bytes, base64url. */
export type PublicKey = string
/** Ed25519 seed, 32 bytes (RFC 8032 section 5.1.5). Secret. */
export type SecretKey = Uint8Array
/** 64 bytes, base64url. */
export type Signature = string

/** The purposes for which a content key signs. */
export type SignatureDomain = 'envelope' | 'block' | 'registration' | 'masking' | 'encryption'

const PKCS8_PREFIX = Uint8Array.of(
  0x30,
  0x2e,
  0x02,
  0x01,
  0x00,
  0x30,
  0x05,
  0x06,
  0x03,
  0x2b,
  0x65,
  0x70,
  0x04,
  0x22,
  0x04,
  0x20,
)
const SPKI_PREFIX = Uint8Array.of(0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00)

/** Parsing a key costs as much as half a signature, so parsed keys are kept: of secrets, as long as the secret itself. */
const privateKeys = new WeakMap<SecretKey, { readonly key: KeyObject; readonly publicKey: PublicKey }>()
const publicKeys = new Map<string, KeyObject>()
/** Bounds the memory that an adversary with many keys can fill. */
const PUBLIC_KEYS_KEPT = 1024

function parseSecret(secret: SecretKey) {
  const key = createPrivateKey({ key: concatBytes(PKCS8_PREFIX, secret), format: 'der', type: 'pkcs8' })
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' })
  return { key, publicKey: toBase64Url(new Uint8Array(spki).subarray(SPKI_PREFIX.length)) }
}

function keysOf(secret: SecretKey) {
  const known = privateKeys.get(secret)
  if (known !== undefined) return known
  const parsed = parseSecret(secret)
  privateKeys.set(secret, parsed)
  return parsed
}

function publicKeyObject(publicKey: Uint8Array): KeyObject {
  const name = toBase64Url(publicKey)
  const known = publicKeys.get(name)
  if (known !== undefined) return known
  const key = createPublicKey({ key: concatBytes(SPKI_PREFIX, publicKey), format: 'der', type: 'spki' })
  if (publicKeys.size >= PUBLIC_KEYS_KEPT) publicKeys.clear()
  publicKeys.set(name, key)
  return key
}

/** Public key of a 32-byte seed. The seed must not change afterwards. */
export function publicKeyOf(secret: SecretKey): PublicKey {
  return keysOf(secret).publicKey
}

/** RFC 8032 signature over exactly these bytes: for formats that bring their own domain (signed notes). */
export function signRaw(message: Uint8Array, secret: SecretKey): Uint8Array {
  return new Uint8Array(nodeSign(null, message, keysOf(secret).key))
}

/** RFC 8032 verification over exactly these bytes; false for malformed keys and signatures, never a throw. */
export function verifyRaw(message: Uint8Array, signature: Uint8Array, publicKey: Uint8Array): boolean {
  if (publicKey.length !== 32 || signature.length !== 64) return false
  try {
    return nodeVerify(null, message, publicKeyObject(publicKey), signature)
  } catch {
    // OpenSSL refuses points that are not on the curve: the signature cannot be valid.
    return false
  }
}

function tagged(domain: SignatureDomain, message: Uint8Array): Uint8Array {
  return concatBytes(utf8(`entente/v1/${domain}\0`), message)
}

export function sign(domain: SignatureDomain, message: Uint8Array, secret: SecretKey): Signature {
  return toBase64Url(signRaw(tagged(domain, message), secret))
}

export function verify(
  domain: SignatureDomain,
  message: Uint8Array,
  signature: Signature,
  publicKey: PublicKey,
): boolean {
  const signatureBytes = fromBase64Url(signature)
  const keyBytes = fromBase64Url(publicKey)
  return (
    signatureBytes !== undefined &&
    keyBytes !== undefined &&
    verifyRaw(tagged(domain, message), signatureBytes, keyBytes)
  )
}
