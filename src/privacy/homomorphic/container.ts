/**
 * Bytes around a vector of ciphertexts or a partial decryption: fixed sizes, no parser to attack.
 *
 *   0  4  "EHE1"          4  1  kind           5  3  zero
 *   8 32  digest of the public parameters
 *  40  4  coordinates     44 4  contributions (vector) or index of the organisation (partial decryption); big-endian
 *  48     payload
 */

import { concatBytes, fromHex, toHex } from '../../base/bytes.ts'
import { fail } from '../../base/errors.ts'
import type { Digest } from '../../base/ids.ts'

const MAGIC = Uint8Array.of(0x45, 0x48, 0x45, 0x31)
export const HEADER_BYTES = 48
export const LENGTH_MAX = 1 << 28

export type ContainerKind = 'vector' | 'partial'
const KINDS: readonly ContainerKind[] = ['vector', 'partial']

/** Why a container is refused: the closed list behind `details.reason` of input-invalid. */
export type Malformed =
  | 'not-a-container'
  | 'wrong-parameters'
  | 'wrong-length'
  | 'out-of-range'
  | 'not-coprime'
  | 'wrong-share'
  /** No proof that its maker knows what is in it, or one for something else. */
  | 'not-proved'

export function malformed(reason: Malformed, message: string): never {
  fail('input-invalid', message, { reason })
}

export interface Container {
  readonly kind: ContainerKind
  readonly parameters: Digest
  readonly length: number
  /** Contributions in the sum, or index of the organisation, from 1. */
  readonly number: number
  readonly payload: Uint8Array
}

/** @param rest of the payload, so that megabytes are put together once */
export function encodeContainer(
  { kind, parameters, length, number, payload }: Container,
  ...rest: readonly Uint8Array[]
): Uint8Array {
  const header = new Uint8Array(HEADER_BYTES)
  header.set(MAGIC)
  header[4] = KINDS.indexOf(kind) + 1
  header.set(fromHex(parameters) as Uint8Array, 8)
  const view = new DataView(header.buffer)
  view.setUint32(40, length)
  view.setUint32(44, number)
  return concatBytes(header, payload, ...rest)
}

/** @throws input-invalid unless it is of this kind and of these parameters */
export function decodeContainer(bytes: Uint8Array, kind: ContainerKind, parameters: Digest): Container {
  const sound =
    bytes.length >= HEADER_BYTES &&
    MAGIC.every((byte, i) => bytes[i] === byte) &&
    bytes[4] === KINDS.indexOf(kind) + 1 &&
    bytes[5] === 0 &&
    bytes[6] === 0 &&
    bytes[7] === 0
  if (!sound) malformed('not-a-container', `these bytes are no ${kind} of this version`)
  if (toHex(bytes.subarray(8, 40)) !== parameters)
    malformed('wrong-parameters', `the ${kind} was made under other public parameters`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES)
  const length = view.getUint32(40)
  const number = view.getUint32(44)
  if (length < 1 || length > LENGTH_MAX || number < 1) malformed('wrong-length', `the ${kind} has impossible counts`)
  return { kind, parameters, length, number, payload: bytes.subarray(HEADER_BYTES) }
}
