/** Keys for tests: safe primes of 256 bits that are public, and so good for nothing else. */

import { seededBytes } from '../../masking/keystream.ts'
import { utf8 } from '../../../base/bytes.ts'
import { sha256 } from '../../../base/hash.ts'
import { plainPower } from '../numbers.ts'
import type { Dealt, DealRequest, HomomorphicScheme } from '../scheme.ts'
import { dealPaillier } from './deal.ts'
import { inThisThread } from './engine.ts'
import { paillierScheme } from './paillier.ts'
import { readParameters } from './parameters.ts'

export const TEST_PRIMES: readonly [bigint, bigint] = [
  0xf7b412965e49ec6e801ccfa0806fd6581a01723ceb332f25fbff36069dbb3e4fn,
  0xf9b1e5598fbeed25f1ab0e26de8d5b8904b284c13c9f162245fb9b35a9bb6dcfn,
]

export function dealForTest(request: DealRequest, label = 'dealer'): Dealt {
  const dealing = { ...request, modulusBits: 512, primes: TEST_PRIMES, exponentBits: 256 } as const
  return dealPaillier(dealing, seededBytes(sha256(utf8(label)), 'deal'), plainPower)
}

export function openForTest(parameters: unknown): HomomorphicScheme {
  const key = readParameters(parameters)
  return paillierScheme(key, { lanes: inThisThread(key, plainPower), powerOf: plainPower })
}
