/** The hub's API over HTTPS with mutual TLS: authenticate by certificate, parse, call the hub, reply. Nothing else. */

import type { Server } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { FastifyBaseLogger } from 'fastify'
import { fail } from '../../src/base/errors.ts'
import type { Hub } from '../../src/node/hub.ts'
import { API } from '../../src/node/transport/client.ts'
import { type Authority, serverTls, type TlsMaterial } from '../../src/node/transport/tls.ts'
import { rateKeyOf, requireReader } from './peer.ts'
import { downloadRoutes, uploadRoutes } from './routes/blobs.ts'
import { federationRoutes } from './routes/federation.ts'
import { healthRoutes } from './routes/health.ts'
import { ledgerRoutes } from './routes/ledger.ts'
import { metricsRoutes } from './routes/metrics.ts'
import { modelRoutes } from './routes/models.ts'
import { operatorRoutes } from './routes/operator.ts'
import { privacyRoutes } from './routes/privacy.ts'
import { registrationRoutes, renewalRoutes } from './routes/registration.ts'
import { roundRoutes } from './routes/rounds.ts'
import { verifyRoutes } from './routes/verify.ts'
import { type Api, createServer } from './server.ts'

export interface HubApiOptions {
  readonly tls: TlsMaterial
  /** Issues the certificates of organisations that register. */
  readonly authority: Authority
  readonly log: FastifyBaseLogger
  /** Addresses under which organisations reach the hub, put into invitations. */
  readonly urls: () => readonly string[]
  readonly requestsPerMinuteMax?: number
  readonly blobBytesMax?: number
}

const REQUESTS_PER_MINUTE_MAX = 3000
const BLOB_BYTES_MAX = 2 ** 31

export async function createHubApi(hub: Hub, options: HubApiOptions): Promise<Api> {
  const app = await createServer({
    title: 'Entente hub',
    description: 'Federated learning with a ledger, between organisations that may not show each other their data.',
    log: options.log,
    serverFactory: (handler) => createHttpsServer(serverTls(options.tls), handler) as unknown as Server,
    rateKey: (request) => rateKeyOf(hub, request),
    requestsPerMinuteMax: options.requestsPerMinuteMax ?? REQUESTS_PER_MINUTE_MAX,
  })
  const reader = (request: Parameters<typeof requireReader>[1]) => requireReader(hub, request)
  const { blobs } = hub.ports
  const blobAccess = {
    blobs,
    bytesMax: options.blobBytesMax ?? BLOB_BYTES_MAX,
    authoriseUpload: reader,
    async authoriseDownload(request: Parameters<typeof reader>[0], digest: Parameters<Hub['isPublished']>[0]) {
      const organisation = await reader(request)
      // Updates are blobs too: an organisation sees models, never what another one contributed.
      if (organisation !== undefined && !(await hub.isPublished(digest)))
        fail('not-found', `the blob ${digest} is not here`)
    },
  }
  healthRoutes(app, async () => void (await hub.ports.store.readValue('ready')))
  registrationRoutes(app, API, hub, options.authority, options.tls.authority)
  renewalRoutes(app, API, hub, options.authority)
  federationRoutes(app, API, hub)
  roundRoutes(app, API, hub)
  modelRoutes(app, API, { ledger: hub.ledger, blobs }, reader)
  uploadRoutes(app, API, blobAccess)
  downloadRoutes(app, API, blobAccess)
  ledgerRoutes(app, API, hub, reader)
  verifyRoutes(app, API, hub)
  privacyRoutes(app, API, hub)
  operatorRoutes(app, API, hub, { authority: options.tls.authority, urls: options.urls })
  metricsRoutes(app, hub)
  return app
}
