/** SHA-256 (FIPS 180-4) and digests of canonical JSON. */

import { createHash } from 'node:crypto'
import { toHex } from './bytes.ts'
import { canonicalBytes } from './canonical.ts'
import type { Digest } from './ids.ts'

export function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return new Uint8Array(hash.digest())
}

export function sha256Hex(...parts: readonly Uint8Array[]): Digest {
  return toHex(sha256(...parts)) as Digest
}

/** SHA-256 of the RFC 8785 form of a value. */
export function digestOf(value: unknown): Digest {
  return sha256Hex(canonicalBytes(value))
}
