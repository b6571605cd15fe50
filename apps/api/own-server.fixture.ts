/** A server of an organisation's own routes, for tests of one route: `Bearer right` is its administrator. */

import { createServer as createHttpServer } from 'node:http'
import type { FastifyRequest } from 'fastify'
import { pino } from 'pino'
import { fail } from '../../src/base/errors.ts'
import { type Api, createServer } from './server.ts'

export function ownServer(): Promise<Api> {
  return createServer({
    title: 't',
    description: 'd',
    log: pino({ level: 'silent' }),
    serverFactory: (handler) => createHttpServer(handler),
    rateKey: () => 'one',
    requestsPerMinuteMax: 100,
  })
}

export async function authorise(request: FastifyRequest): Promise<void> {
  if (request.headers.authorization !== 'Bearer right') fail('unauthenticated', 'no token')
}
