/** What hides a vector: the products of a key with public polynomials that follow from the parameters. */

import { utf8 } from '../../../base/bytes.ts'
import { sha256 } from '../../../base/hash.ts'
import { type Keystream, keystream } from '../../masking/keystream.ts'
import { DEGREE, type Primes, reduce } from './modulus.ts'
import type { Transform } from './transform.ts'

export interface Masking {
  readonly primes: Primes
  readonly transforms: readonly [Transform, Transform]
  /** p1^-1 mod p2. */
  readonly lift: number
}

/** a k mod q by number of the block; what is returned is overwritten by the next call. */
export function keyedBlocks(ring: Masking, key: Int32Array, domain: Uint8Array): (block: number) => Float64Array {
  const { primes, transforms, lift } = ring
  const transformed = transforms.map((transform) => {
    const image = Float64Array.from(key, (value) => ((value % transform.p) + transform.p) % transform.p)
    transform.forward(image)
    return image
  }) as [Float64Array, Float64Array]
  const [low, high] = [new Float64Array(DEGREE), new Float64Array(DEGREE)]
  return (block) => {
    const stream = keystream(sha256(utf8('entente/paillier/ring/v2\0'), domain, utf8(`${block}`)))
    multiplied(transforms[0], transformed[0], stream, low)
    multiplied(transforms[1], transformed[1], stream, high)
    // Garner: the one number below q with both residues.
    for (let i = 0; i < DEGREE; i++) {
      const residue = low[i] as number
      const apart = reduce((high[i] as number) - residue + primes[1], primes[1], transforms[1].reciprocal)
      low[i] = residue + primes[0] * reduce(apart * lift, primes[1], transforms[1].reciprocal)
    }
    return low
  }
}

/** The next public polynomial, uniform by rejection, times the key. */
function multiplied(
  { p, reciprocal, inverse }: Transform,
  key: Float64Array,
  stream: Keystream,
  into: Float64Array,
): void {
  const mask = 2 ** Math.ceil(Math.log2(p)) - 1
  let view: DataView = new DataView(new ArrayBuffer(0))
  let at = 0
  for (let i = 0; i < DEGREE; ) {
    if (at === view.byteLength) {
      const bytes = stream.next(4 * DEGREE)
      view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
      at = 0
    }
    const drawn = view.getUint32(at, true) & mask
    at += 4
    if (drawn >= p) continue
    into[i] = reduce(drawn * (key[i] as number), p, reciprocal)
    i++
  }
  inverse(into)
}
