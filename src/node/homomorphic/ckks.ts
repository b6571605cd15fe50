/**
 * CKKS behind the interface of homomorphic encryption, for organisations that trust each other with one key.
 *
 * 1. The hub never has the key. Every organisation has all of it: `threshold` is how many must agree on what a sum opens
 *    to, not how many are needed to open one.
 * 2. Sums are exact although CKKS is approximate: the integers are encrypted at a scale that keeps the error far below one
 *    half, and only rounded integers are released.
 * 3. Noise is added before rounding (Li and Micciancio 2021, "On the Security of Homomorphic Encryption on Approximate
 *    Numbers": a decryption that shows its error shows the key). For honest sums rounding alone already hides the error;
 *    the noise is for sums that somebody made lie between two integers. Its size over that of the error is `floodBits`.
 * 4. There is no proof of correct decryption. A partial decryption that differs from what `threshold` others agree on is
 *    left out and its sender named.
 */

import { concatBytes, toBase64Url } from '../../base/bytes.ts'
import { fail } from '../../base/errors.ts'
import { encodeContainer, HEADER_BYTES, malformed } from '../../privacy/homomorphic/container.ts'
import type { Dealt, DealRequest, HomomorphicScheme } from '../../privacy/homomorphic/scheme.ts'
import { ciphertextsOf, combine, decrypt, readVector, type Shared } from './ckks-open.ts'
import {
  CKKS_PARAMETERS_FORMAT,
  CKKS_SHARE_FORMAT,
  type CkksParameters,
  type CkksSet,
  type CkksShare,
  readCkksParameters,
  RING_DEGREE,
} from './ckks-parameters.ts'
import { openSeal } from './seal.ts'

/** Makes one key, and a copy of it for each organisation. */
export async function dealNewCkks(request: DealRequest, set: CkksSet = '50-50'): Promise<Dealt> {
  const seal = await openSeal(set)
  const { publicKey, secretKey } = seal.newKeys()
  const parameters: CkksParameters = {
    format: CKKS_PARAMETERS_FORMAT,
    ringDegree: RING_DEGREE,
    set,
    publicKey: toBase64Url(publicKey),
    organisations: [...request.organisations],
    threshold: request.threshold,
    levels: request.levels,
    contributionsMax: request.contributionsMax,
  }
  const { digest } = readCkksParameters(parameters)
  const secret = toBase64Url(secretKey)
  const shares = request.organisations.map((organisation) => {
    const share: CkksShare = { format: CKKS_SHARE_FORMAT, parameters: digest, organisation, secretKey: secret }
    return { organisation, share }
  })
  secretKey.fill(0)
  return { parameters, shares }
}

/** @throws input-invalid */
export async function openCkks(parameters: unknown): Promise<HomomorphicScheme> {
  const key = readCkksParameters(parameters)
  const seal = await openSeal(key.source.set)
  const { organisations, threshold, levels, contributionsMax } = key.source
  const shared = { key, seal }
  return {
    kind: 'ckks',
    parameters: key.digest,
    errorMax: 0,
    organisations,
    threshold,
    levels,
    contributionsMax,
    vectorBytes: (length) => HEADER_BYTES + Math.ceil(length / seal.slots) * seal.ciphertextBytes,
    encrypt: async (values) => encrypt(shared, values),
    async check(bytes) {
      const vector = readVector(shared, bytes)
      for (const ciphertext of ciphertextsOf(shared, vector)) seal.check(ciphertext)
      return { length: vector.length, contributions: vector.number }
    },
    add: async (vectors) => add(shared, vectors),
    partialDecrypt: async (sum, share, statement, seed) => decrypt(shared, { sum, share, statement, seed }),
    combine: async (sum, partials, statement) => combine(shared, sum, partials, statement),
  }
}

function encrypt({ key, seal }: Shared, values: Int32Array): Uint8Array {
  const { levels } = key.source
  if (values.length === 0) fail('wrong-shape', 'there is nothing to encrypt')
  if (values.some((value) => value > levels || value < -levels))
    fail('wrong-shape', `a value is not an integer of at most ${levels}`)
  const parts = Array.from({ length: Math.ceil(values.length / seal.slots) }, (_, i) =>
    Float64Array.from(values.subarray(i * seal.slots, (i + 1) * seal.slots)),
  )
  const payload = concatBytes(...seal.encrypt(key.publicKey, parts))
  return encodeContainer({ kind: 'vector', parameters: key.digest, length: values.length, number: 1, payload })
}

function add(shared: Shared, vectors: readonly Uint8Array[]): Uint8Array {
  const read = vectors.map((vector) => readVector(shared, vector))
  const length = read[0]?.length ?? fail('invalid-request', 'there is nothing to add')
  if (read.some((one) => one.length !== length)) fail('wrong-shape', 'vectors of different lengths cannot be added')
  const number = read.reduce((sum, one) => sum + one.number, 0)
  const { contributionsMax } = shared.key.source
  if (number > contributionsMax) malformed('wrong-length', `there is room for ${contributionsMax} contributions`)
  const columns = read.map((one) => ciphertextsOf(shared, one))
  const sums = (columns[0] ?? []).map((_, i) => shared.seal.add(columns.map((one) => one[i] ?? new Uint8Array(0))))
  const payload = concatBytes(...sums)
  return encodeContainer({ kind: 'vector', parameters: shared.key.digest, length, number, payload })
}
