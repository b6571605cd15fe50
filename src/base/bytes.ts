/** Byte strings: encodings, comparison and concatenation. No Buffer here, so that pure rooms run on any ES2023 engine. */

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** UTF-8 bytes of a string. */
export function utf8(text: string): Uint8Array {
  return encoder.encode(text)
}

/** Inverse of {@link utf8}: keeps a byte order mark; throws TypeError on malformed input rather than inserting U+FFFD. */
export function text(bytes: Uint8Array): string {
  return decoder.decode(bytes)
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/** Lowercase hexadecimal. */
export function toHex(bytes: Uint8Array): string {
  let hex = ''
  for (const byte of bytes) hex += HEX[byte]
  return hex
}

/** Inverse of {@link toHex}; undefined unless the input is lowercase hex of even length. */
export function fromHex(hex: string): Uint8Array | undefined {
  if (hex.length % 2 !== 0 || !/^[0-9a-f]*$/.test(hex)) return undefined
  const bytes = new Uint8Array(hex.length / 2)
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16)
  return bytes
}

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const BASE64URL = `${BASE64.slice(0, 62)}-_`

function encode64(bytes: Uint8Array, alphabet: string): string {
  const parts: string[] = []
  for (let i = 0; i < bytes.length; i += 3) {
    const group = ((bytes[i] ?? 0) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0)
    const characters = Math.min(4, bytes.length - i + 1)
    for (let c = 0; c < characters; c++) parts.push(alphabet.charAt((group >> (18 - 6 * c)) & 63))
  }
  return parts.join('')
}

function decode64(encoded: string, alphabet: string): Uint8Array | undefined {
  if (encoded.length % 4 === 1) return undefined
  const bytes = new Uint8Array(Math.floor((encoded.length * 3) / 4))
  let group = 0
  let bits = 0
  let at = 0
  for (const character of encoded) {
    const value = alphabet.indexOf(character)
    if (value < 0) return undefined
    group = ((group << 6) | value) & 0xffffff
    bits += 6
    if (bits >= 8) {
      bits -= 8
      bytes[at++] = (group >> bits) & 0xff
    }
  }
  // Left-over bits must be zero: a second spelling of one value would be a second name for one signature.
  return (group & ((1 << bits) - 1)) === 0 ? bytes : undefined
}

/** RFC 4648 section 5, without padding. */
export function toBase64Url(bytes: Uint8Array): string {
  return encode64(bytes, BASE64URL)
}

/** Inverse of {@link toBase64Url}; undefined for anything that it would not have written. */
export function fromBase64Url(encoded: string): Uint8Array | undefined {
  return decode64(encoded, BASE64URL)
}

/** RFC 4648 section 4, with padding: the encoding of signed notes. */
export function toBase64(bytes: Uint8Array): string {
  const encoded = encode64(bytes, BASE64)
  return encoded.padEnd(Math.ceil(encoded.length / 4) * 4, '=')
}

/** Inverse of {@link toBase64}; undefined for anything that it would not have written. */
export function fromBase64(encoded: string): Uint8Array | undefined {
  if (encoded.length % 4 !== 0) return undefined
  const bare = encoded.replace(/={1,2}$/, '')
  return decode64(bare, BASE64)
}

export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    joined.set(part, at)
    at += part.length
  }
  return joined
}

/** Equality of public values; not constant-time. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}
