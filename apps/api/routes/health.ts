/** For supervisors and load balancers: alive, and able to serve. No certificate, no particulars. */

import { z } from 'zod'
import type { Api } from '../server.ts'

const statusResponse = z.object({ status: z.string() })

/** `check` throws while the node cannot serve. */
export function healthRoutes(app: Api, check: () => Promise<void>): void {
  app.get('/healthz', { schema: { response: { 200: statusResponse } } }, () => ({ status: 'ok' }))
  app.get('/readyz', { schema: { response: { 200: statusResponse, 503: statusResponse } } }, async (request, reply) => {
    try {
      await check()
      return { status: 'ready' }
    } catch (error) {
      request.log.warn({ err: error }, 'not ready')
      return reply.status(503).send({ status: 'unavailable' })
    }
  })
}
