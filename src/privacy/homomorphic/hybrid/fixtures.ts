/** Keys of version 2 for tests. */

import { plainPower } from '../numbers.ts'
import { dealForTest } from '../paillier/fixtures.ts'
import type { Dealt, DealRequest, HomomorphicScheme } from '../scheme.ts'
import { hybridInThisThread } from './engine.ts'
import { hybridScheme } from './hybrid.ts'
import { hybridParameters, keyBounds, readHybridParameters } from './parameters.ts'

export function dealHybridForTest(request: DealRequest, label = 'dealer'): Dealt {
  const { parameters, shares } = dealForTest({ ...request, ...keyBounds(request) }, label)
  return { parameters: hybridParameters(parameters, request), shares }
}

export function openHybridForTest(parameters: unknown): HomomorphicScheme {
  const key = readHybridParameters(parameters)
  return hybridScheme(key, { lanes: hybridInThisThread(key, plainPower), powerOf: plainPower })
}
