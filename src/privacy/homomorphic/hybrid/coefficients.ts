/** Numbers below q as bytes of fixed size, 4 to 7, little-endian. Whoever sent them may be an attacker. */

import { malformed } from '../container.ts'
import { reduce } from './modulus.ts'

const WORD = 2 ** 32

export const viewOf = ({ buffer, byteOffset, byteLength }: Uint8Array): DataView =>
  new DataView(buffer, byteOffset, byteLength)

export function readCoefficient(from: DataView, at: number, bytes: number): number {
  let high = 0
  for (let i = bytes - 1; i >= 4; i--) high = high * 256 + from.getUint8(at + i)
  return high * WORD + from.getUint32(at, true)
}

export function writeCoefficient(into: DataView, at: number, bytes: number, value: number): void {
  let high = Math.floor(value / WORD)
  into.setUint32(at, value - high * WORD, true)
  for (let i = 4; i < bytes; i++) {
    into.setUint8(at + i, high % 256)
    high = Math.floor(high / 256)
  }
}

interface Width {
  readonly q: number
  readonly bytes: number
}

/** Coefficients at a time: sums of them stay in the processor's cache whatever the number of ciphers. */
const BLOCK = 4096

/** @throws input-invalid for a coefficient of q or more */
export function requireCoefficients(cipher: Uint8Array, width: Width): void {
  const accumulate = accumulator(width)
  const sums = new Float64Array(BLOCK)
  forEachBlock(cipher.length / width.bytes, (first, count) =>
    accumulate(cipher, first, sums.fill(0).subarray(0, count)),
  )
}

/** Sums mod q. @param ciphers of one length. @throws input-invalid */
export function addCoefficients(ciphers: readonly Uint8Array[], width: Width): Uint8Array {
  const { q, bytes } = width
  const total = new Uint8Array(ciphers[0]?.length ?? 0)
  const accumulate = accumulator(width)
  const block = new Float64Array(BLOCK)
  // Reduced only as often as float64 stays exact: whether one addition wraps is a coin, which processors predict badly.
  const atOnce = Math.floor(2 ** 53 / q) - 1
  forEachBlock(total.length / bytes, (first, count) => {
    const sums = block.fill(0).subarray(0, count)
    ciphers.forEach((cipher, number) => {
      accumulate(cipher, first, sums)
      if ((number + 1) % atOnce === 0) reduceAll(sums, q)
    })
    reduceAll(sums, q)
    write(sums, total, first, bytes)
  })
  return total
}

function forEachBlock(count: number, work: (first: number, count: number) => void): void {
  for (let first = 0; first < count; first += BLOCK) work(first, Math.min(BLOCK, count - first))
}

function reduceAll(sums: Float64Array, q: number): void {
  for (let i = 0; i < sums.length; i++) sums[i] = reduce(sums[i] as number, q, 1 / q)
}

type Accumulate = (cipher: Uint8Array, first: number, sums: Float64Array) => void

/** Adds coefficients from number `first` on to sums. @throws input-invalid for one of q or more */
function accumulator({ q, bytes }: Width): Accumulate {
  if (bytes > 4) return (cipher, first, sums) => accumulateLong(viewOf(cipher), first, sums, { q, bytes })
  const words = new Uint32Array(BLOCK)
  const copy = new Uint8Array(words.buffer)
  return (cipher, first, sums) => {
    // A cipher lies anywhere in a container, words only at multiples of four.
    copy.set(cipher.subarray(4 * first, 4 * (first + sums.length)))
    accumulateWords(words, sums, q)
  }
}

function accumulateWords(words: Uint32Array, sums: Float64Array, q: number): void {
  // As an integer: comparing with a number that may be a fraction takes as long as all the rest.
  const last = (q - 1) >>> 0
  const { length } = sums
  for (let i = 0; i < length; i++) {
    const value = words[i] as number
    if (value > last) tooLarge()
    sums[i] = (sums[i] as number) + value
  }
}

function accumulateLong(view: DataView, first: number, sums: Float64Array, { q, bytes }: Width): void {
  for (let i = 0; i < sums.length; i++) {
    const value = readCoefficient(view, (first + i) * bytes, bytes)
    if (value >= q) tooLarge()
    sums[i] = (sums[i] as number) + value
  }
}

function tooLarge(): never {
  malformed('out-of-range', 'a coefficient is not below the modulus')
}

function write(sums: Float64Array, into: Uint8Array, first: number, bytes: number): void {
  if (bytes === 4) return into.set(new Uint8Array(new Uint32Array(sums).buffer), 4 * first)
  const view = viewOf(into)
  for (let i = 0; i < sums.length; i++) writeCoefficient(view, (first + i) * bytes, bytes, sums[i] as number)
}
