/** What the hub's API and an organisation's control interface have in common: validation, problems, limits, OpenAPI. */

import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import helmet from '@fastify/helmet'
import rateLimit from '@fastify/rate-limit'
import swagger from '@fastify/swagger'
import fastify, { type FastifyBaseLogger, type FastifyInstance, type FastifyRequest, LogController } from 'fastify'
import {
  jsonSchemaTransform,
  jsonSchemaTransformObject,
  serializerCompiler,
  validatorCompiler,
  type ZodTypeProvider,
} from 'fastify-type-provider-zod'
import { EntenteError, fail } from '../../src/base/errors.ts'
import { replyWithProblem } from './problem.ts'

export type Api = FastifyInstance<Server, IncomingMessage, ServerResponse, FastifyBaseLogger, ZodTypeProvider>

export interface ServerOptions {
  readonly title: string
  readonly description: string
  readonly log: FastifyBaseLogger
  /** Makes the HTTP or HTTPS server. */
  readonly serverFactory: (handler: (request: IncomingMessage, response: ServerResponse) => void) => Server
  /** Who a request counts for. */
  readonly rateKey: (request: FastifyRequest) => string
  readonly requestsPerMinuteMax: number
}

/** Envelopes with an inline update of 1 MiB, in base64. */
const BODY_BYTES_MAX = 2 << 20
/** An upload may take hours; silence may not. */
const SILENCE_MS_MAX = 120_000
const HEADERS_MS_MAX = 30_000

export async function createServer(options: ServerOptions): Promise<Api> {
  const app = fastify({
    loggerInstance: options.log,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_BYTES_MAX,
    serverFactory: (handler) => withTimeouts(options.serverFactory(handler)),
    routerOptions: { maxParamLength: 256 },
    // A process that stops has its clients go to another one.
    return503OnClosing: true,
    forceCloseConnections: 'idle',
  }).withTypeProvider<ZodTypeProvider>() as unknown as Api
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  app.setErrorHandler(replyWithProblem)
  app.setNotFoundHandler((request, reply) =>
    replyWithProblem(
      new EntenteError('not-found', `there is no ${request.method} ${request.url.split('?')[0]}`),
      request,
      reply,
    ),
  )
  app.addHook('onRequest', async (request) => refuseEncodings(request))
  await app.register(helmet)
  await app.register(rateLimit, rateLimits(options))
  await app.register(swagger, {
    openapi: { openapi: '3.1.0', info: { title: options.title, description: options.description, version: '1' } },
    transform: jsonSchemaTransform,
    transformObject: jsonSchemaTransformObject,
  })
  app.get('/openapi.json', { schema: { hide: true } }, () => app.swagger())
  return app
}

function withTimeouts(server: Server): Server {
  server.requestTimeout = 0
  server.headersTimeout = HEADERS_MS_MAX
  server.keepAliveTimeout = SILENCE_MS_MAX
  server.setTimeout(SILENCE_MS_MAX)
  return server
}

/** A compressed body could be larger than any limit once unpacked; nothing that we are sent compresses. */
function refuseEncodings(request: FastifyRequest): void {
  const encoding = request.headers['content-encoding']
  if (encoding !== undefined && encoding !== 'identity')
    fail('invalid-request', `a body with content-encoding ${encoding} is not taken`)
}

function rateLimits({ rateKey, requestsPerMinuteMax }: ServerOptions) {
  return {
    max: requestsPerMinuteMax,
    timeWindow: 60_000,
    keyGenerator: rateKey,
    errorResponseBuilder: (_request: FastifyRequest, { ttl }: { ttl: number }) =>
      new EntenteError('rate-limited', `too many requests; try again in ${Math.ceil(ttl / 1000)} s`, {
        details: { retryAfterMs: ttl },
      }),
  }
}
