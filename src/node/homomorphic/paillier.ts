/** Threshold Paillier with what a process has: random bytes, OpenSSL, threads. */

import { generatePrime } from 'node:crypto'
import { promisify } from 'node:util'
import { dealPaillier } from '../../privacy/homomorphic/paillier/deal.ts'
import { inThisThread } from '../../privacy/homomorphic/paillier/engine.ts'
import { type ModulusBits, readParameters } from '../../privacy/homomorphic/paillier/parameters.ts'
import { paillierScheme } from '../../privacy/homomorphic/paillier/paillier.ts'
import type { Dealt, DealRequest, HomomorphicScheme } from '../../privacy/homomorphic/scheme.ts'
import { systemRandom } from '../random.ts'
import { opensslPower } from './power.ts'
import { createThreadLanes } from './thread-lanes.ts'

export interface OpenScheme extends HomomorphicScheme {
  /** Ends the threads. */
  close(): Promise<void>
}

/**
 * @param parameters of the parameter file
 * @param threads 0 = in the calling thread
 * @throws input-invalid
 */
export function openPaillier(parameters: unknown, threads: number): OpenScheme {
  const key = readParameters(parameters)
  const script = new URL('./paillier-worker.ts', import.meta.url)
  const pool = threads === 0 ? undefined : createThreadLanes(script, key.source, threads)
  const lanes = pool ?? inThisThread(key, opensslPower)
  const scheme = paillierScheme(key, { lanes, powerOf: opensslPower })
  return { ...scheme, close: async () => pool?.close() }
}

export interface PaillierOptions {
  readonly modulusBits: ModulusBits
  readonly exponentBits: number
  /** Instead of fresh ones; for tests and benches. */
  readonly primes?: readonly [bigint, bigint]
}

const newPrime = promisify(
  generatePrime as (
    bits: number,
    options: { safe: boolean; bigint: true },
    callback: (error: Error | null, prime: bigint) => void,
  ) => void,
)

/** Deals a fresh key. Safe primes take seconds to minutes to find. */
export async function dealNewPaillier(request: DealRequest, options: PaillierOptions): Promise<Dealt> {
  const { modulusBits, exponentBits } = options
  const primes = options.primes ?? (await safePrimes(modulusBits / 2))
  return dealPaillier(
    { ...request, modulusBits, exponentBits, primes },
    (length) => systemRandom.bytes(length),
    opensslPower,
  )
}

/** OpenSSL sets the two highest bits, so that the product has twice the bits. */
async function safePrimes(bits: number): Promise<[bigint, bigint]> {
  for (;;) {
    const pair = await Promise.all([
      newPrime(bits, { safe: true, bigint: true }),
      newPrime(bits, { safe: true, bigint: true }),
    ])
    if (pair[0] !== pair[1]) return pair
  }
}
