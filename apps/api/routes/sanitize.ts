/**
 * `privacy/sanitize` of an organisation's own control interface: raw lines and gradients never go to a hub for it. The keys are made
 * when the process starts and are forgotten when it ends; pseudonyms of one epoch are the same until then.
 */

import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import { sanitiseLines } from '../../../src/node/sanitise/files.ts'
import { sanitiseGradient } from '../../../src/privacy/sanitise/gradient.ts'
import { deriveKeys, SECRET_BYTES } from '../../../src/privacy/sanitise/keys.ts'
import { SANITISE_FORMATS } from '../../../src/privacy/sanitise/sanitiser.ts'
import { problemSchema } from '../problem.ts'
import { anythingSchema } from '../schemas/common.ts'
import type { Api } from '../server.ts'

const LINES_MAX = 10_000
/** As of `privacy/encrypt`. */
const GRADIENT_MAX = 50_000
const FLOAT32_MAX = 3.4e38

const linesSchema = z.strictObject({
  lines: z
    .array(z.string().max(1 << 20))
    .min(1)
    .max(LINES_MAX),
  format: z.enum(SANITISE_FORMATS).default('text'),
  /** Pseudonyms of two epochs cannot be linked. */
  epoch: z.string().min(1).max(63).default('1'),
})
/** Section 7.3 of the ledger document. There is nothing to configure: `config` may be there, and empty. */
const gradientSchema = z.strictObject({
  raw_gradient: z.array(z.number().min(-FLOAT32_MAX).max(FLOAT32_MAX)).min(1).max(GRADIENT_MAX),
  sensitivity: z.number().positive().max(1e6).describe('the largest L2 norm that what is answered has'),
  config: z.strictObject({}).optional(),
})
const gradientResponse = z.object({
  sanitized_gradient: z.array(z.number()).describe('clipped, without noise: not yet private'),
  norm: z.number().describe('L2, of what came in'),
  clipped: z.boolean(),
})
const linesResponse = z.object({
  lines: z.array(z.string().nullable()).describe('null for a line that is not of the format, and so must not leave'),
  report: anythingSchema.describe('counts by field and by detector; no value'),
})

export interface SanitizeOptions {
  readonly federation: string
  readonly random: { bytes(length: number): Uint8Array }
  readonly authorise: (request: FastifyRequest) => Promise<void>
}

export function sanitizeRoute(app: Api, prefix: string, { federation, random, authorise }: SanitizeOptions): void {
  const secret = random.bytes(SECRET_BYTES)
  app.post(
    `${prefix}/privacy/sanitize`,
    {
      schema: {
        body: z.union([linesSchema, gradientSchema]),
        response: { 200: z.union([linesResponse, gradientResponse]), 401: problemSchema },
      },
      onRequest: authorise,
    },
    (request) => {
      if ('raw_gradient' in request.body) return sanitisedGradient(request.body)
      const { lines, format, epoch } = request.body
      const result = sanitiseLines(lines, format, deriveKeys(secret, { federation, epoch }))
      return { lines: [...result.lines], report: { ...result.report } }
    },
  )
}

function sanitisedGradient({ raw_gradient, sensitivity }: z.infer<typeof gradientSchema>) {
  const { gradient, norm, clipped } = sanitiseGradient(raw_gradient, sensitivity)
  return { sanitized_gradient: [...gradient], norm, clipped }
}
