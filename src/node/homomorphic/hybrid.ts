/** Threshold Paillier of version 2 with what a process has: random bytes, OpenSSL, threads. */

import { hybridInThisThread } from '../../privacy/homomorphic/hybrid/engine.ts'
import { hybridScheme } from '../../privacy/homomorphic/hybrid/hybrid.ts'
import { hybridParameters, keyBounds, readHybridParameters } from '../../privacy/homomorphic/hybrid/parameters.ts'
import type { Dealt, DealRequest } from '../../privacy/homomorphic/scheme.ts'
import { dealNewPaillier, type OpenScheme, type PaillierOptions } from './paillier.ts'
import { opensslPower } from './power.ts'
import { createThreadLanes } from './thread-lanes.ts'

/**
 * @param parameters of the parameter file
 * @param threads 0 = in the calling thread
 * @throws input-invalid
 */
export function openHybrid(parameters: unknown, threads: number): OpenScheme {
  const key = readHybridParameters(parameters)
  const script = new URL('./hybrid-worker.ts', import.meta.url)
  const pool = threads === 0 ? undefined : createThreadLanes(script, parameters, threads)
  const lanes = pool ?? hybridInThisThread(key, opensslPower)
  const scheme = hybridScheme(key, { lanes, powerOf: opensslPower })
  return { ...scheme, close: async () => pool?.close() }
}

/** Deals a fresh key. Safe primes take seconds to minutes to find. */
export async function dealNewHybrid(request: DealRequest, options: PaillierOptions): Promise<Dealt> {
  const { parameters, shares } = await dealNewPaillier({ ...request, ...keyBounds(request) }, options)
  return { parameters: hybridParameters(parameters, request), shares }
}
