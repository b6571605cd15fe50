/**
 * `privacy/sanitize` of an organisation's own control interface: raw lines never go to a hub for it. The keys are made
 * when the process starts and are forgotten when it ends; pseudonyms of one epoch are the same until then.
 */

import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import { sanitiseLines } from '../../../src/node/sanitise/files.ts'
import { deriveKeys, SECRET_BYTES } from '../../../src/privacy/sanitise/keys.ts'
import { SANITISE_FORMATS } from '../../../src/privacy/sanitise/sanitiser.ts'
import { problemSchema } from '../problem.ts'
import { anythingSchema } from '../schemas/common.ts'
import type { Api } from '../server.ts'

const LINES_MAX = 10_000
const bodySchema = z.strictObject({
  lines: z
    .array(z.string().max(1 << 20))
    .min(1)
    .max(LINES_MAX),
  format: z.enum(SANITISE_FORMATS).default('text'),
  /** Pseudonyms of two epochs cannot be linked. */
  epoch: z.string().min(1).max(63).default('1'),
})
const responseSchema = z.object({
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
    { schema: { body: bodySchema, response: { 200: responseSchema, 401: problemSchema } }, onRequest: authorise },
    (request) => {
      const { lines, format, epoch } = request.body
      const result = sanitiseLines(lines, format, deriveKeys(secret, { federation, epoch }))
      return { lines: [...result.lines], report: { ...result.report } }
    },
  )
}
