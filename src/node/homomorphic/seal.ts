/**
 * Microsoft SEAL 4 compiled to WebAssembly (node-seal 7): CKKS of Cheon, Kim, Kim and Song 2017. What its library gives out
 * untyped is typed here, and nowhere else. It draws its own randomness, from the operating system.
 */

import type { Ciphertext, SEALContext } from 'node-seal'
import { malformed } from '../../privacy/homomorphic/container.ts'
import { CKKS_SETS, type CkksSet, RING_DEGREE } from './ckks-parameters.ts'

type Library = Awaited<ReturnType<typeof load>>

// Loaded at first use: 30 MB that a process without CKKS does not need.
const load = async () => (await import('node-seal')).initialize()
let library: Promise<Library> | undefined

/** One set of parameters, and what is done under it. Objects of the library live outside of the collected memory. */
export interface Seal {
  /** Values in one ciphertext. */
  readonly slots: number
  /** Bytes of a ciphertext. */
  readonly ciphertextBytes: number
  newKeys(): { readonly publicKey: Uint8Array; readonly secretKey: Uint8Array }
  /** The values of each ciphertext, at most `slots`, encrypted. */
  encrypt(publicKey: Uint8Array, values: readonly Float64Array[]): Uint8Array[]
  /** Hands the values of each ciphertext to `take`, with their error still in them. */
  decrypt(secretKey: Uint8Array, ciphertexts: readonly Uint8Array[], take: (values: Float64Array) => void): void
  /** @throws input-invalid for bytes that are no fresh ciphertext or sum of such of this set */
  check(ciphertext: Uint8Array): void
  add(ciphertexts: readonly Uint8Array[]): Uint8Array
}

const opened = new Map<CkksSet, Promise<Seal>>()

export function openSeal(set: CkksSet): Promise<Seal> {
  const seal = opened.get(set) ?? create(set)
  opened.set(set, seal)
  return seal
}

async function create(set: CkksSet): Promise<Seal> {
  const seal = await (library ??= load())
  const context = contextOf(seal, set)
  const scale = 2 ** CKKS_SETS[set].scaleBits
  const none = seal.ComprModeType.none
  const encoder = new seal.CKKSEncoder(context)
  const evaluator = new seal.Evaluator(context)
  const ciphertextBytes = bytesOfOne(seal, context)

  /** What an attacker may have written: of another size or level, at another scale, or without any key (transparent). */
  function read(bytes: Uint8Array, into: Ciphertext): Ciphertext {
    try {
      into.loadFromArray(context, bytes)
    } catch {
      malformed('out-of-range', 'SEAL does not take these bytes for a ciphertext')
    }
    const sound = into.size() === 2 && into.isNttForm() && into.scale() === scale && !into.isTransparent()
    if (!sound || into.coeffModulusSize() !== CKKS_SETS[set].primes.length - 1)
      malformed('out-of-range', 'a ciphertext is not of the form that encryption gives')
    return into
  }

  return {
    slots: encoder.slotCount(),
    ciphertextBytes,
    newKeys() {
      const generator = new seal.KeyGenerator(context)
      const [publicKey, secretKey] = [generator.createPublicKey(), generator.secretKey()]
      return freeing([publicKey, secretKey, generator], () => ({
        publicKey: saved(publicKey.saveToArray(none)),
        secretKey: saved(secretKey.saveToArray(none)),
      }))
    },
    encrypt(bytes, values) {
      const held = [new seal.PublicKey(), new seal.Plaintext(), new seal.Ciphertext()] as const
      const [publicKey, plain, cipher] = held
      return freeing(held, () => {
        loadKey(() => publicKey.loadFromArray(context, bytes))
        const encryptor = new seal.Encryptor(context, publicKey)
        return freeing([encryptor], () =>
          values.map((each) => {
            encoder.encode(each, scale, plain)
            encryptor.encrypt(plain, cipher)
            return saved(cipher.saveToArray(none))
          }),
        )
      })
    },
    decrypt(bytes, ciphertexts, take) {
      const held = [new seal.SecretKey(), new seal.Plaintext(), new seal.Ciphertext()] as const
      const [secretKey, plain, cipher] = held
      freeing(held, () => {
        loadKey(() => secretKey.loadFromArray(context, bytes))
        const decryptor = new seal.Decryptor(context, secretKey)
        freeing([decryptor], () => {
          for (const ciphertext of ciphertexts) {
            decryptor.decrypt(read(ciphertext, cipher), plain)
            take(encoder.decodeFloat64(plain) as Float64Array)
          }
        })
      })
    },
    check(ciphertext) {
      const one = new seal.Ciphertext()
      freeing([one], () => read(ciphertext, one))
    },
    add(ciphertexts) {
      const [sum, one] = [new seal.Ciphertext(), new seal.Ciphertext()]
      return freeing([sum, one], () => {
        ciphertexts.forEach((bytes, i) => (i === 0 ? read(bytes, sum) : evaluator.addInplace(sum, read(bytes, one))))
        return saved(sum.saveToArray(none))
      })
    },
  }
}

/** Objects of the library stay in its memory until they are deleted; SEAL overwrites keys when they are. */
function freeing<T>(held: readonly { delete(): void }[], work: () => T): T {
  try {
    return work()
  } finally {
    for (const one of held) one.delete()
  }
}

/** A copy: what the library returns may be a view into its own memory. */
const saved = (bytes: unknown): Uint8Array => Uint8Array.from(bytes as Uint8Array)

function loadKey(work: () => void): void {
  try {
    work()
  } catch {
    malformed('wrong-share', 'SEAL does not take this key')
  }
}

function contextOf(seal: Library, set: CkksSet): SEALContext {
  const parameters = new seal.EncryptionParameters(seal.SchemeType.ckks)
  parameters.setPolyModulusDegree(RING_DEGREE)
  parameters.setCoeffModulus(seal.CoeffModulus.Create(RING_DEGREE, Int32Array.from(CKKS_SETS[set].primes)))
  return new seal.SEALContext(parameters, true, seal.SecLevelType.tc128)
}

function bytesOfOne(seal: Library, context: SEALContext): number {
  const generator = new seal.KeyGenerator(context)
  const encryptor = new seal.Encryptor(context, generator.createPublicKey())
  const cipher = new seal.Ciphertext()
  return freeing([cipher, encryptor, generator], () => {
    encryptor.encryptZero(cipher)
    return saved(cipher.saveToArray(seal.ComprModeType.none)).length
  })
}
