/** Errors on the wire: problem documents (RFC 9457) that carry our code, whether retrying helps, and particulars. */

import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { EntenteError, type ErrorCode, ERRORS } from '../../src/base/errors.ts'

export const problemSchema = z
  .object({
    type: z.string().describe('names the code, as a URI'),
    title: z.string().describe('what the code means'),
    status: z.int(),
    detail: z.string().describe('what was wrong this time, for a person'),
    code: z.enum(Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]]),
    retryable: z.boolean().describe('whether the very same request may succeed later'),
    details: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'Problem' })

export type Problem = z.infer<typeof problemSchema>

export function problemOf(error: EntenteError): Problem {
  const { code, message, details, retryable, status } = error
  return {
    type: `urn:entente:error:${code}`,
    title: ERRORS[code].meaning,
    status,
    detail: message,
    code,
    retryable,
    details,
  }
}

const FASTIFY_CODES: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_INVALID_JSON_BODY: 'malformed-json',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'malformed-json',
  FST_ERR_CTP_BODY_TOO_LARGE: 'body-too-large',
  FST_ERR_NOT_FOUND: 'not-found',
}

/** What any error means to the caller. Of an unforeseen one, nothing is told but that it happened. */
export function ententeError(error: unknown): EntenteError {
  if (error instanceof EntenteError) return error
  const { code = '', statusCode = 500, message } = error as FastifyError
  const known = FASTIFY_CODES[code]
  if (known !== undefined) return new EntenteError(known, message)
  if (hasZodFastifySchemaValidationErrors(error)) {
    const { instancePath, message: complaint } = error.validation[0] ?? { instancePath: '', message: 'malformed' }
    const path = `${error.validationContext}${instancePath.replaceAll('/', '.')}`
    return new EntenteError('invalid-request', `${path}: ${complaint}`, { details: { path } })
  }
  if (error instanceof SyntaxError) return new EntenteError('malformed-json', message)
  if (statusCode >= 400 && statusCode < 500) return new EntenteError('invalid-request', message)
  return new EntenteError('internal', 'a defect of this program; the log has more', { cause: error })
}

export function replyWithProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const known = ententeError(error)
  if (known.code === 'internal') request.log.error({ err: error }, 'a request failed')
  else request.log.info({ code: known.code, status: known.status, detail: known.message }, 'a request was refused')
  // HEAD has no body, so the code is a header as well.
  void reply
    .status(known.status)
    .header('x-error-code', known.code)
    .type('application/problem+json')
    .send(JSON.stringify(problemOf(known)))
}
