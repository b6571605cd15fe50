/** An organisation's control interface: its own administrator's commands, on loopback, with the token of runtime.json. */

import { timingSafeEqual } from 'node:crypto'
import { createServer as createHttpServer } from 'node:http'
import type { FastifyBaseLogger, FastifyRequest } from 'fastify'
import { sha256 } from '../../src/base/hash.ts'
import { utf8 } from '../../src/base/bytes.ts'
import { fail } from '../../src/base/errors.ts'
import { exportLedger } from '../../src/node/hub/evidence.ts'
import type { OrganisationNode } from '../../src/node/organisation.ts'
import { API } from '../../src/node/transport/client.ts'
import { downloadRoutes } from './routes/blobs.ts'
import { encryptRoute } from './routes/encrypt.ts'
import { healthRoutes } from './routes/health.ts'
import { ledgerRoutes } from './routes/ledger.ts'
import { modelRoutes } from './routes/models.ts'
import { privacyBudgetRoute } from './routes/privacy-budget.ts'
import { sanitizeRoute } from './routes/sanitize.ts'
import { anythingSchema } from './schemas/common.ts'
import { type Api, createServer } from './server.ts'

export interface ControlOptions {
  readonly token: string
  readonly log: FastifyBaseLogger
}

const REQUESTS_PER_MINUTE_MAX = 6000

export async function createControlApi(node: OrganisationNode, options: ControlOptions): Promise<Api> {
  const app = await createServer({
    title: 'Entente organisation node',
    description: 'The control interface of one organisation.',
    log: options.log,
    serverFactory: (handler) => createHttpServer(handler),
    rateKey: (request) => request.ip,
    requestsPerMinuteMax: REQUESTS_PER_MINUTE_MAX,
  })
  const authorise = async (request: FastifyRequest): Promise<void> => requireToken(request, options.token)
  const { blobs, random, store } = node.ports
  const source = { ledger: node.ledger, exportLedger: () => exportLedger(node.federation, node.ledger) }
  healthRoutes(app, async () => void (await store.readValue('ready')))
  ledgerRoutes(app, API, source, authorise)
  modelRoutes(app, API, { ledger: node.ledger, blobs }, authorise)
  downloadRoutes(app, API, { blobs, authoriseDownload: authorise })
  privacyBudgetRoute(app, API, { budget: node.budget, authorise })
  encryptRoute(app, API, { random, authorise })
  sanitizeRoute(app, API, { federation: node.federation, random, authorise })

  app.get(`${API}/status`, { schema: { response: { 200: anythingSchema } } }, async (request) => {
    await authorise(request)
    return { ...(await node.status()) }
  })

  app.post(`${API}/federation/leave`, async (request, reply) => {
    await authorise(request)
    await node.leave()
    return reply.status(204).send()
  })
  return app
}

function requireToken(request: FastifyRequest, token: string): void {
  const [, shown = ''] = /^Bearer ([A-Za-z0-9_-]{1,256})$/.exec(request.headers.authorization ?? '') ?? []
  // Of equal length and in constant time: how long the comparison takes says nothing about the token.
  if (!timingSafeEqual(sha256(utf8(shown)), sha256(utf8(token))))
    fail('unauthenticated', 'this needs the token of runtime.json')
}
