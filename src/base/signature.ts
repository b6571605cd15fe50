/**
 * Ed25519 (RFC 8032) with domain separation: what is signed is `entente/v1/<domain>\0` followed by the message, so that
 * a signature made for one purpose never verifies for another, whatever the adversary lets us sign.
 */

import { createPrivateKey, createPublicKey, sign as nodeSign, verify as nodeVerify } from 'node:crypto'
import { concatBytes, fromBase64Url, toBase64Url, utf8 } from './bytes.ts'

/** Raw Ed25519 public key, 32 bytes, base64url. */
export type PublicKey = string
/** Ed25519 seed, 32 bytes (RFC 8032 section 5.1.5). Secret. */
export type SecretKey = Uint8Array
/** 64 bytes, base64url. */
export type Signature = string

/** The purposes for which a content key signs. */
export type SignatureDomain = 'envelope' | 'block' | 'registration'

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

function privateKeyObject(secret: SecretKey) {
  return createPrivateKey({ key: concatBytes(PKCS8_PREFIX, secret), format: 'der', type: 'pkcs8' })
}

/** Public key of a 32-byte seed. */
export function publicKeyOf(secret: SecretKey): PublicKey {
  const spki = createPublicKey(privateKeyObject(secret)).export({ format: 'der', type: 'spki' })
  return toBase64Url(new Uint8Array(spki).subarray(SPKI_PREFIX.length))
}

/** RFC 8032 signature over exactly these bytes: for formats that bring their own domain (signed notes). */
export function signRaw(message: Uint8Array, secret: SecretKey): Uint8Array {
  return new Uint8Array(nodeSign(null, message, privateKeyObject(secret)))
}

/** RFC 8032 verification over exactly these bytes; false for malformed keys and signatures, never a throw. */
export function verifyRaw(message: Uint8Array, signature: Uint8Array, publicKey: Uint8Array): boolean {
  if (publicKey.length !== 32 || signature.length !== 64) return false
  try {
    const key = createPublicKey({ key: concatBytes(SPKI_PREFIX, publicKey), format: 'der', type: 'spki' })
    return nodeVerify(null, message, key, signature)
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
