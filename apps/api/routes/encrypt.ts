/**
 * `privacy/encrypt` of an organisation's own control interface: an update in the clear never goes to a hub for it. The
 * public parameters come with the request and carry everything needed; nothing is kept.
 */

import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import { toBase64Url } from '../../../src/base/bytes.ts'
import { encryptUpdate } from '../../../src/node/homomorphic/encrypt-update.ts'
import { openScheme } from '../../../src/node/homomorphic/open.ts'
import type { Random } from '../../../src/node/ports.ts'
import { problemSchema } from '../problem.ts'
import { anythingSchema } from '../schemas/common.ts'
import type { Api } from '../server.ts'

/** What a request body has room for; a training encrypts its updates itself. */
const GRADIENT_MAX = 50_000
const WEIGHT_MAX = 1_000_000_000
const THREADS = 1

const bodySchema = z
  .strictObject({
    gradient: z.array(z.number()).min(1).max(GRADIENT_MAX),
    public_key: anythingSchema.describe('the public parameter file of the key ceremony'),
    /** Largest absolute value of a coordinate; what is larger is clipped. */
    clip: z.number().positive().max(1e6).default(1),
    sample_count: z.int().min(1).max(WEIGHT_MAX).default(1),
    sample_count_max: z.int().min(1).max(WEIGHT_MAX).default(1),
  })
  .refine((body) => body.sample_count <= body.sample_count_max, {
    message: 'sample_count is more than sample_count_max',
    path: ['sample_count'],
  })
const responseSchema = z.object({
  encrypted_gradient: z.string().describe('a vector of ciphertexts, base64url'),
  scheme: z.enum(['paillier', 'ckks']),
  public_key: z.string().describe('digest of the public parameters'),
  length: z.int(),
  levels: z.int().describe('the integer that a coordinate of `clip` became for the largest sample count'),
  clipped: z.int().describe('coordinates beyond the clip bound'),
})

export interface EncryptOptions {
  readonly random: Random
  readonly authorise: (request: FastifyRequest) => Promise<void>
}

export function encryptRoute(app: Api, prefix: string, { random, authorise }: EncryptOptions): void {
  app.post(
    `${prefix}/privacy/encrypt`,
    {
      schema: { body: bodySchema, response: { 200: responseSchema, 401: problemSchema, 422: problemSchema } },
      onRequest: authorise,
    },
    async (request) => {
      const { gradient, public_key, clip, sample_count, sample_count_max } = request.body
      const scheme = await openScheme(public_key, THREADS)
      try {
        const order = { update: Float32Array.from(gradient), clip, weight: sample_count, weightMax: sample_count_max }
        const { vector, clipped } = await encryptUpdate(scheme, order, random)
        const { kind, parameters, levels } = scheme
        return {
          encrypted_gradient: toBase64Url(vector),
          scheme: kind,
          public_key: parameters,
          length: gradient.length,
          levels,
          clipped,
        }
      } finally {
        await scheme.close()
      }
    },
  )
}
