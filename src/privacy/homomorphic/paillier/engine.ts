/**
 * The work on whole vectors, in ranges, so that threads can share it. Each task depends on its arguments alone; a range of
 * ciphertexts gives the same bytes wherever it is cut.
 */

import { concatBytes } from '../../../base/bytes.ts'
import { fail } from '../../../base/errors.ts'
import { malformed } from '../container.ts'
import { inverse, type PowerOf } from '../numbers.ts'
import { pack, plaintextsFor, unpack } from '../packing.ts'
import { readElements, writeElements } from './elements.ts'
import type { PaillierKey } from './parameters.ts'
import { jointPower, weightedProduct } from './products.ts'
import { weights } from './proof.ts'
import { createRandomiser, directRandomiser, type Randomiser } from './randomiser.ts'

export type PaillierTask =
  /** `first` is the number of the first ciphertext. */
  | { readonly type: 'encrypt'; readonly values: Int32Array; readonly seed: Uint8Array; readonly first: number }
  | { readonly type: 'add'; readonly vectors: readonly Uint8Array[] }
  | { readonly type: 'check'; readonly vector: Uint8Array }
  /** Every element to `exponent`. Secret. */
  | { readonly type: 'power'; readonly vector: Uint8Array; readonly exponent: bigint }
  /** prod element_j^e_j: one element. */
  | { readonly type: 'weigh'; readonly vector: Uint8Array; readonly seed: Uint8Array; readonly first: number }
  /** The sums, 4 bytes each in the machine's order; nothing at all when a slot overflows. */
  | {
      readonly type: 'open'
      readonly partials: readonly Uint8Array[]
      readonly coefficients: readonly bigint[]
      /** (4 Delta factor)^-1 mod N. */
      readonly scale: bigint
      readonly length: number
      readonly contributions: number
    }

/** Where tasks are carried out: in this thread, or spread over `lanes` others. */
export interface PaillierLanes {
  readonly lanes: number
  run(task: PaillierTask): Promise<Uint8Array>
}

/** Ciphertexts from which a table is worth the seconds and megabytes that it takes to make. */
const TABLE_FROM = 500

export type PaillierEngine = (task: PaillierTask) => Uint8Array

/** One after the other, in this thread. */
export function inThisThread(key: PaillierKey, powerOf: PowerOf): PaillierLanes {
  const engine = paillierEngine(key, powerOf)
  return { lanes: 1, run: async (task) => engine(task) }
}

export function paillierEngine(key: PaillierKey, powerOf: PowerOf): PaillierEngine {
  const { base, nSquared, source } = key
  let table: Randomiser | undefined
  const randomiserFor = (ciphertexts: number): Randomiser => {
    if (ciphertexts < TABLE_FROM) return directRandomiser(base, source.exponentBits, powerOf(nSquared))
    table ??= createRandomiser(base, source.exponentBits, nSquared)
    return table
  }
  return (task) => {
    switch (task.type) {
      case 'encrypt':
        return encrypt(key, randomiserFor(plaintextsFor(task.values.length, key.packing)), task)
      case 'add':
        return add(key, task.vectors)
      case 'check':
        readElements(task.vector, key)
        return new Uint8Array(0)
      case 'power': {
        const power = powerOf(key.nSquared)
        const elements = readElements(task.vector, key).map((element) => power(element, task.exponent))
        return writeElements(elements, key)
      }
      case 'weigh': {
        const elements = readElements(task.vector, key)
        const exponents = weights(task.seed, task.first, elements.length)
        return writeElements([weightedProduct(elements, exponents, key.nSquared)], key)
      }
      case 'open':
        return open(key, task)
    }
  }
}

type Task<Type extends PaillierTask['type']> = Extract<PaillierTask, { type: Type }>

/** c = (1 + N)^m h_s^r = (1 + m N) h_s^r mod N^2: Damgard and Jurik 2001, section 3, with g = 1 + N. */
function encrypt(key: PaillierKey, randomiser: Randomiser, { values, seed, first }: Task<'encrypt'>): Uint8Array {
  const { n, nSquared, packing } = key
  const ciphertexts: bigint[] = []
  for (let at = 0; at < values.length; at += packing.perPlaintext) {
    const message = pack(values.subarray(at, at + packing.perPlaintext), packing)
    const random = randomiser.element(seed, first + ciphertexts.length)
    ciphertexts.push(((1n + message * n) * random) % nSquared)
  }
  return writeElements(ciphertexts, key)
}

/** The product of ciphertexts holds the sum of plaintexts. */
function add(key: PaillierKey, vectors: readonly Uint8Array[]): Uint8Array {
  const { length } = vectors[0] ?? fail('invalid-request', 'there is nothing to add')
  if (length % key.elementBytes !== 0 || vectors.some((other) => other.length !== length))
    malformed('wrong-length', 'vectors of different lengths cannot be added')
  // Read together: their check takes one gcd.
  const elements = readElements(concatBytes(...vectors), key)
  const sum = elements.slice(0, length / key.elementBytes)
  for (let i = sum.length; i < elements.length; i++) {
    const at = i % sum.length
    sum[at] = ((sum[at] ?? 1n) * (elements[i] ?? 1n)) % key.nSquared
  }
  return writeElements(sum, key)
}

/**
 * c' = prod d_i^(2 mu_i) = c^(4 Delta factor d) = (1 + N)^(4 Delta factor M), and M = L(c') (4 Delta factor)^-1 mod N with
 * L(u) = (u - 1) / N: Damgard and Jurik 2001, section 4.1, "Share combining".
 */
function open(key: PaillierKey, task: Task<'open'>): Uint8Array {
  const { n, nSquared, packing } = key
  const partials = task.partials.map((partial) => readElements(partial, key))
  const sums = new Int32Array(task.length)
  const [up, down] = [positive(task.coefficients), positive(task.coefficients.map((mu) => -mu))]
  const products = (exponents: readonly bigint[]): bigint[] =>
    (partials[0] ?? []).map((_, i) =>
      jointPower(
        partials.map((partial) => partial[i] ?? 1n),
        exponents,
        nSquared,
      ),
    )
  const inverses = invertAll(products(down), nSquared)
  for (const [i, above] of products(up).entries()) {
    const opened = (above * (inverses[i] ?? 1n)) % nSquared
    if (opened % n !== 1n) fail('internal', 'proved partial decryptions do not fit together')
    const plaintext = (((opened - 1n) / n) * task.scale) % n
    const slots = sums.subarray(i * packing.perPlaintext, (i + 1) * packing.perPlaintext)
    if (!unpack(plaintext, slots, task.contributions, packing)) return new Uint8Array(0)
  }
  return new Uint8Array(sums.buffer)
}

const positive = (coefficients: readonly bigint[]): bigint[] => coefficients.map((mu) => (mu > 0n ? 2n * mu : 0n))

/** All inverses for the price of one and three products each (Montgomery 1987). */
function invertAll(values: readonly bigint[], modulus: bigint): bigint[] {
  const before: bigint[] = []
  let product = 1n
  for (const value of values) {
    before.push(product)
    product = (product * value) % modulus
  }
  let rest = inverse(product, modulus) ?? fail('internal', 'a checked element has no inverse')
  const inverses = new Array<bigint>(values.length)
  for (let i = values.length - 1; i >= 0; i--) {
    inverses[i] = (rest * (before[i] ?? 1n)) % modulus
    rest = (rest * (values[i] ?? 1n)) % modulus
  }
  return inverses
}
