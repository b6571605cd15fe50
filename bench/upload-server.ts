/** The hub's end of an upload, in a process of its own: the API's routes and limits over mutual TLS. `upload-server.ts <root>` */

import { readFileSync } from 'node:fs'
import { createServer as createHttpsServer } from 'node:https'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import pino from 'pino'
import { uploadRoutes } from '../apps/api/routes/blobs.ts'
import { createServer } from '../apps/api/server.ts'
import { fail } from '../src/base/errors.ts'
import { federationId } from '../src/base/ids.ts'
import { openFileBlobs } from '../src/node/blobs/files.ts'
import { API } from '../src/node/transport/client.ts'
import { peerOfSocket } from '../src/node/transport/spiffe.ts'
import { serverTls, type TlsMaterial } from '../src/node/transport/tls.ts'

export const FEDERATION = federationId('bench.example')

async function main(root: string): Promise<void> {
  const tls = JSON.parse(readFileSync(join(root, 'hub.json'), 'utf8')) as TlsMaterial
  const app = await createServer({
    title: 'bench',
    description: 'uploads only',
    log: pino({ level: 'silent' }),
    serverFactory: (handler) => createHttpsServer(serverTls(tls), handler),
    rateKey: () => 'bench',
    requestsPerMinuteMax: 1_000_000,
  })
  uploadRoutes(app, API, {
    blobs: await openFileBlobs(join(root, 'hub')),
    bytesMax: 2 ** 32,
    async authoriseUpload({ raw }) {
      const peer = peerOfSocket(raw.socket as TLSSocket, FEDERATION)
      if (peer?.role !== 'organisation') fail('unauthenticated', 'this needs the client certificate of an organisation')
    },
    async authoriseDownload() {
      fail('not-available', 'this measures uploads')
    },
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  const address = app.server.address()
  console.log(typeof address === 'object' ? address?.port : address)
}

if (import.meta.main) await main(process.argv[2] ?? '')
