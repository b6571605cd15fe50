/**
 * C2SP signed notes (c2sp.org/signed-note): a text that ends in a newline, an empty line, and signature lines
 * `— name base64(key id || signature)`. Ed25519 only (signature type 0x01).
 */

import { concatBytes, equalBytes, fromBase64, fromBase64Url, toBase64, toHex, utf8 } from '../base/bytes.ts'
import { fail } from '../base/errors.ts'
import { sha256 } from '../base/hash.ts'
import { type PublicKey, publicKeyOf, type SecretKey, signRaw, verifyRaw } from '../base/signature.ts'

export const NOTE_BYTES_MAX = 1 << 16
const SIGNATURES_MAX = 100
const ED25519 = Uint8Array.of(0x01)

export interface NoteSigner {
  readonly name: string
  readonly publicKey: PublicKey
}

function checkName(name: string): string {
  if (!/^[^\s+\p{Cc}]+$/u.test(name)) fail('invalid-request', 'a note key name has no spaces, no "+" and is not empty')
  return name
}

/** C2SP signed-note: no ASCII control characters but newline. */
function hasControls(text: string): boolean {
  return text.split('').some((character) => character < ' ' && character !== '\n')
}

function checkText(text: string): string {
  if (!text.endsWith('\n') || hasControls(text) || !text.isWellFormed())
    fail('ledger-invalid', 'the text of a note ends in a newline and has no other control characters', {
      reason: 'note-malformed',
    })
  return text
}

function keyBytes(publicKey: PublicKey): Uint8Array {
  const key = fromBase64Url(publicKey)
  if (key?.length !== 32) fail('invalid-request', 'a public key is 32 bytes in base64url')
  return key
}

/** First four bytes of SHA-256(name || 0x0A || 0x01 || public key). */
export function noteKeyId(name: string, publicKey: PublicKey): Uint8Array {
  return sha256(utf8(`${checkName(name)}\n`), ED25519, keyBytes(publicKey)).subarray(0, 4)
}

/** Verifier key string `name+id+base64(0x01 || key)`, which other C2SP tools take. */
export function noteVerifierKey(name: string, publicKey: PublicKey): string {
  return `${name}+${toHex(noteKeyId(name, publicKey))}+${toBase64(concatBytes(ED25519, keyBytes(publicKey)))}`
}

/** The text with one signature. @throws ledger-invalid unless the text is one that a note can hold. */
export function signNote(text: string, name: string, secret: SecretKey): string {
  const signature = signRaw(utf8(checkText(text)), secret)
  return `${text}\n— ${name} ${toBase64(concatBytes(noteKeyId(name, publicKeyOf(secret)), signature))}\n`
}

interface SignatureLine {
  readonly name: string
  readonly keyId: Uint8Array
  readonly signature: Uint8Array
}

function malformed(problem: string): never {
  fail('ledger-invalid', `not a signed note: ${problem}`, { reason: 'note-malformed' })
}

function parseLine(line: string): SignatureLine {
  const match = /^— ([^\s+\p{Cc}]+) ([A-Za-z0-9+/=]+)$/u.exec(line)
  const bytes = fromBase64(match?.[2] ?? '')
  if (match?.[1] === undefined || bytes === undefined || bytes.length < 5) malformed('a signature line is malformed')
  return { name: match[1], keyId: bytes.subarray(0, 4), signature: bytes.subarray(4) }
}

function splitNote(note: string): { text: string; lines: SignatureLine[] } {
  if (note.length > NOTE_BYTES_MAX) malformed('it is too long')
  const at = note.lastIndexOf('\n\n')
  if (at < 0 || !note.endsWith('\n')) malformed('there is no signature block')
  const lines = note.slice(at + 2, -1).split('\n')
  if (lines.length > SIGNATURES_MAX) malformed('it has too many signatures')
  return { text: checkText(note.slice(0, at + 1)), lines: lines.map(parseLine) }
}

/**
 * Text and names of the signers, among those given, whose signatures verify. Signatures by unknown keys are ignored, as
 * the specification demands; a bad signature under a known key refuses the whole note.
 * @throws ledger-invalid (details.reason note-malformed | note-signature | note-unsigned)
 */
export function openNote(
  note: string,
  signers: readonly NoteSigner[],
): { readonly text: string; readonly verified: readonly string[] } {
  const { text, lines } = splitNote(note)
  const verified: string[] = []
  for (const line of lines) {
    const signer = signers.find(
      ({ name, publicKey }) => name === line.name && equalBytes(line.keyId, noteKeyId(name, publicKey)),
    )
    if (signer === undefined || verified.includes(signer.name)) continue
    if (!verifyRaw(utf8(text), line.signature, keyBytes(signer.publicKey)))
      fail('ledger-invalid', `the signature of ${signer.name} on the note is wrong`, { reason: 'note-signature' })
    verified.push(signer.name)
  }
  if (verified.length === 0)
    fail('ledger-invalid', 'the note carries no signature of a known key', { reason: 'note-unsigned' })
  return { text, verified }
}
