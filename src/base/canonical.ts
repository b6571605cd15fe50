/** Canonical JSON, RFC 8785: the only form in which this program hashes or signs a structure. */

import canonicalize from 'canonicalize'
import { utf8 } from './bytes.ts'
import { fail } from './errors.ts'

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/**
 * RFC 8785 text of a JSON value. Members that are `undefined` are left out, as JSON.stringify does.
 * @throws invalid-request for NaN, infinities and lone surrogates (RFC 8785 section 3.2.2).
 */
export function canonicalJson(value: unknown): string {
  let canonical: string | undefined
  try {
    canonical = canonicalize(value)
  } catch (cause) {
    fail('invalid-request', `not representable as canonical JSON: ${String(cause)}`)
  }
  if (canonical === undefined) fail('invalid-request', 'undefined is not a JSON value')
  return canonical
}

/** UTF-8 bytes of {@link canonicalJson}. */
export function canonicalBytes(value: unknown): Uint8Array {
  return utf8(canonicalJson(value))
}
