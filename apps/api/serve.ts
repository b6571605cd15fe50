/** The two servers as the shell starts them: a process loads the one that it is. */

import type { AddressInfo } from 'node:net'
import { isIPv6 } from 'node:net'
import type { Listen, ServeControl, ServedApi, ServeHub } from '../../src/node/serving.ts'
import type { Api } from './server.ts'

/** Serves a hub over HTTPS with mutual TLS. */
export const serveHub: ServeHub = async (hub, { listen, tls, authority, log }) => {
  const { createHubApi } = await import('./hub-server.ts')
  let url = ''
  const app = await createHubApi(hub, { tls, authority, log, urls: () => [url] })
  const served = await listenOn(app, listen)
  url = `https://${served.host}:${served.port}`
  return served
}

/** Serves an organisation's control interface over plain HTTP, meant for loopback. */
export const serveControl: ServeControl = async (node, { listen, token, log }) => {
  const { createControlApi } = await import('./control-server.ts')
  return listenOn(await createControlApi(node, { token, log }), listen)
}

async function listenOn(app: Api, { host, port }: Listen): Promise<ServedApi> {
  await app.listen({ host, port })
  const bound = (app.server.address() as AddressInfo).port
  return { host: isIPv6(host) ? `[${host}]` : host, port: bound, close: () => app.close() }
}
