/** Requests to whichever of a hub's addresses answers; whatever the network does to them becomes `unavailable`. */

import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { EntenteError, type ErrorDetails, fail, isErrorCode } from '../../base/errors.ts'
import type { FederationId } from '../../base/ids.ts'
import { clientTls, type TlsMaterial } from './tls.ts'

const TIMEOUT_MS = 30_000
const JSON_BYTES_MAX = 64 << 20

export interface Request {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE'
  /** Path and query. */
  readonly path: string
  readonly headers?: Readonly<Record<string, string | number>>
  readonly json?: unknown
  /** Makes the body afresh for each attempt. */
  readonly body?: () => AsyncIterable<Uint8Array>
  /** Longest silence of the connection. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

export interface HttpClient {
  /** The response, whatever its status; its body must be consumed. @throws unavailable */
  send(request: Request): Promise<IncomingMessage>
  /** The JSON body of a successful response. @throws the server's EntenteError; unavailable */
  call(request: Request): Promise<unknown>
  /** The body of a successful response as text. */
  text(request: Request): Promise<string>
  close(): void
}

export interface ClientTls {
  readonly federation: FederationId
  /** What to show and whom to believe; without a key, for the first contact. */
  readonly material: TlsMaterial | { readonly authority: string }
}

export interface HttpClientOptions {
  readonly urls: readonly string[]
  /** Absent = plain HTTP, for the control interface on loopback. */
  readonly tls?: ClientTls
  /** Sent with every request, e.g. a bearer token. */
  readonly headers?: Readonly<Record<string, string>>
}

export function createHttpClient(options: HttpClientOptions): HttpClient {
  const agent = createAgent(options.tls)
  /** Index of the address that answered last. */
  let preferred = 0

  async function send(request: Request): Promise<IncomingMessage> {
    const failures: Record<string, string> = {}
    const first = preferred
    for (let attempt = 0; attempt < options.urls.length; attempt++) {
      const index = (first + attempt) % options.urls.length
      const url = options.urls[index] ?? ''
      try {
        const response = await sendTo(new URL(request.path, url), request)
        // 503 is a process that is starting or stopping: another one of the same hub may be well.
        if (response.statusCode === 503 && attempt + 1 < options.urls.length) {
          response.resume()
          continue
        }
        preferred = index
        return response
      } catch (error) {
        if (error instanceof EntenteError) throw error
        if (request.signal?.aborted === true) throw unavailable('the request was stopped', error)
        failures[url] = codeOf(error)
      }
    }
    const list = Object.entries(failures).map(([url, code]) => `${url}: ${code}`)
    fail('unavailable', `the hub does not answer: ${list.join(', ')}`, { failures })
  }

  /** A kept connection may have been closed at the other end just now: that says nothing about the server, so ask again. */
  async function sendTo(url: URL, request: Request): Promise<IncomingMessage> {
    const common = options.headers ?? {}
    try {
      return await exchange(agent, url, request, common)
    } catch (error) {
      if (!(error instanceof StaleConnection)) throw error
      return exchange(agent, url, request, common)
    }
  }

  return {
    send,
    call: async (request) => jsonOf(await send(request)),
    text: async (request) => textOf(await send(request)),
    close: () => agent.destroy(),
  }
}

/** Each connection proves possession of its key: no session is resumed. */
function createAgent(tls: ClientTls | undefined): HttpAgent {
  const common = { keepAlive: true, maxSockets: 8 }
  if (tls === undefined) return new HttpAgent(common)
  return new HttpsAgent({ ...common, maxCachedSessions: 0, ...clientTls(tls.material, tls.federation) })
}

class StaleConnection extends Error {
  readonly code = 'ECONNRESET'

  constructor(cause: Error) {
    super('the connection was closed', { cause })
  }
}

function exchange(
  agent: HttpAgent,
  url: URL,
  request: Request,
  common: Readonly<Record<string, string>>,
): Promise<IncomingMessage> {
  const payload = request.json === undefined ? undefined : Buffer.from(JSON.stringify(request.json))
  const headers = {
    accept: 'application/json, application/problem+json',
    ...common,
    ...(payload === undefined ? {} : { 'content-type': 'application/json', 'content-length': payload.length }),
    ...request.headers,
  }
  return new Promise((resolve, reject) => {
    const { method, signal, timeoutMs = TIMEOUT_MS } = request
    const outgoing = (url.protocol === 'http:' ? httpRequest : httpsRequest)(
      url,
      { agent, method, headers, ...(signal === undefined ? {} : { signal }) },
      resolve,
    )
    outgoing.setTimeout(timeoutMs, () =>
      outgoing.destroy(Object.assign(new Error('no answer in time'), { code: 'ETIMEDOUT' })),
    )
    outgoing.on('error', (error: NodeJS.ErrnoException) =>
      reject(outgoing.reusedSocket && error.code === 'ECONNRESET' ? new StaleConnection(error) : error),
    )
    if (request.body === undefined) outgoing.end(payload)
    // A server that refuses early closes its side: then the response counts, not the write error that follows it.
    else pipeline(Readable.from(request.body(), { objectMode: false }), outgoing).catch(reject)
  })
}

/** Reads a response to its end. @throws unavailable if the connection breaks before */
export async function readAll(response: IncomingMessage, bytesMax = JSON_BYTES_MAX): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      length += chunk.length
      if (length > bytesMax) fail('body-too-large', `the response exceeds ${bytesMax} bytes`)
      chunks.push(chunk)
    }
  } catch (error) {
    throw error instanceof EntenteError ? error : unavailable('the connection broke during the response', error)
  }
  return Buffer.concat(chunks)
}

async function textOf(response: IncomingMessage): Promise<string> {
  if (response.statusCode !== 200) return String(await jsonOf(response))
  return (await readAll(response)).toString('utf8')
}

async function jsonOf(response: IncomingMessage): Promise<unknown> {
  const body = await readAll(response)
  const status = response.statusCode ?? 0
  let value: unknown
  try {
    value = body.length === 0 ? undefined : JSON.parse(body.toString('utf8'))
  } catch (cause) {
    throw new EntenteError('unavailable', `the answer (status ${status}) is not JSON: the address may not be a hub's`, {
      cause,
    })
  }
  if (status >= 200 && status < 300) return value
  throw problemError(value, status)
}

/** The error that a problem document (RFC 9457) of our server stands for. */
export function problemError(value: unknown, status: number): EntenteError {
  const problem = (typeof value === 'object' && value !== null ? value : {}) as {
    code?: unknown
    detail?: unknown
    details?: unknown
  }
  const message = typeof problem.detail === 'string' ? problem.detail : `the server answered with status ${status}`
  if (!isErrorCode(problem.code)) return new EntenteError(status >= 500 ? 'unavailable' : 'invalid-request', message)
  return new EntenteError(problem.code, message, { details: (problem.details ?? {}) as ErrorDetails })
}

export function unavailable(message: string, cause: unknown): EntenteError {
  return new EntenteError('unavailable', `${message}: ${codeOf(cause)}`, { cause, details: { cause: codeOf(cause) } })
}

function codeOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0])
  const { code, message } = error as { code?: unknown; message?: unknown }
  return typeof code === 'string' ? code : String(message)
}
