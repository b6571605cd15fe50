/** An organisation's connection to its hub over HTTPS with mutual TLS: envelopes, mail and blobs, each resumable. */

import type { IncomingMessage } from 'node:http'
import { z } from 'zod'
import { type Envelope, parseEnvelope } from '../../base/envelope.ts'
import { EntenteError, fail } from '../../base/errors.ts'
import type { Digest } from '../../base/ids.ts'
import type { BlobReader, Blobs, HubConnection, Mail } from '../ports.ts'
import {
  createHttpClient,
  type HttpClient,
  type HttpClientOptions,
  problemError,
  readAll,
  unavailable,
} from './http.ts'

export const API = '/api/fl-blockchain'
const UPLOAD_CHUNK_BYTES = 1 << 20
const ATTEMPTS_MAX = 5
/** What the network may add to a long poll before we call it dead. */
const POLL_SLACK_MS = 15_000

const mailSchema = z.object({ mail: z.array(z.object({ position: z.int().positive(), envelope: z.unknown() })) })

export function createHubClient(options: HttpClientOptions): HubConnection & { close(): void } {
  const http = createHttpClient(options)
  return {
    deliver: (envelope) => deliver(http, envelope),
    poll: (after, waitMs, signal) => poll(http, after, waitMs, signal),
    download: (digest, blobs) => download(http, digest, blobs),
    upload: (digest, blobs) => upload(http, digest, blobs),
    close: http.close,
  }
}

async function deliver(http: HttpClient, envelope: Envelope): Promise<unknown> {
  if (envelope.header.type !== 'contribution')
    return http.call({ method: 'POST', path: `${API}/federation/messages`, json: envelope })
  // The documented form of a contribution is its envelope under the document's names.
  const json = { ...(envelope.body as object), signature: { header: envelope.header, value: envelope.signature } }
  return http.call({ method: 'POST', path: `${API}/federation/submit-gradient`, json })
}

async function poll(http: HttpClient, after: number, waitMs: number, signal: AbortSignal): Promise<readonly Mail[]> {
  const path = `${API}/federation/mailbox?after=${after}&wait=${waitMs}`
  const parsed = mailSchema.safeParse(
    await http.call({ method: 'GET', path, timeoutMs: waitMs + POLL_SLACK_MS, signal }),
  )
  if (!parsed.success) fail('unavailable', 'the hub answered with something that is not a mailbox')
  return parsed.data.mail.map(({ position, envelope }) => ({ position, envelope: parseEnvelope(envelope) }))
}

async function upload(http: HttpClient, digest: Digest, blobs: Blobs): Promise<void> {
  const reader = await blobs.open(digest)
  try {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) if (await uploadRest(http, reader)) return
  } finally {
    await reader.close()
  }
  fail('unavailable', `the upload of ${digest} was interrupted ${ATTEMPTS_MAX} times`)
}

/** Sends what the hub does not have yet; true when it has all. */
async function uploadRest(http: HttpClient, reader: BlobReader): Promise<boolean> {
  const offset = await uploadOffset(http, reader)
  if (offset === undefined) return true
  const headers = {
    'content-type': 'application/octet-stream',
    'content-length': reader.size - offset,
    'upload-offset': offset,
    'upload-length': reader.size,
  }
  try {
    const response = await http.send({
      method: 'PUT',
      path: blobPath(reader.digest),
      headers,
      body: () => bytesFrom(reader, offset),
    })
    const body = await readAll(response)
    if (response.statusCode === 201 || response.statusCode === 200) return true
    throw problemError(parseLoosely(body), response.statusCode ?? 0)
  } catch (error) {
    // Another attempt of our own got further than we knew: ask again where it stands.
    if (error instanceof EntenteError && error.code === 'offset-mismatch') return false
    throw error
  }
}

/** Where the hub wants the upload to go on; undefined when it has the whole blob. */
async function uploadOffset(http: HttpClient, reader: BlobReader): Promise<number | undefined> {
  const headers = { 'upload-length': reader.size }
  const response = await http.send({ method: 'HEAD', path: blobPath(reader.digest), headers })
  response.resume()
  if (response.statusCode === 200) return undefined
  const offset = Number(response.headers['upload-offset'])
  if (response.statusCode !== 404 || !Number.isSafeInteger(offset))
    throw problemError(codeHeader(response), response.statusCode ?? 0)
  return Math.min(offset, reader.size)
}

async function* bytesFrom(reader: BlobReader, start: number): AsyncGenerator<Uint8Array> {
  for (let offset = start; offset < reader.size; offset += UPLOAD_CHUNK_BYTES) {
    const chunk = new Uint8Array(Math.min(UPLOAD_CHUNK_BYTES, reader.size - offset))
    await reader.read(offset, chunk)
    yield chunk
  }
}

async function download(http: HttpClient, digest: Digest, blobs: Blobs): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    if ((await blobs.size(digest)) !== undefined) return
    await downloadRest(http, digest, blobs, attempt + 1 === ATTEMPTS_MAX)
  }
  if ((await blobs.size(digest)) === undefined)
    fail('unavailable', `the download of ${digest} was interrupted ${ATTEMPTS_MAX} times`)
}

async function downloadRest(http: HttpClient, digest: Digest, blobs: Blobs, last: boolean): Promise<void> {
  const offset = await blobs.uploadOffset(digest)
  const headers = offset > 0 ? { range: `bytes=${offset}-` } : {}
  const response = await http.send({ method: 'GET', path: blobPath(digest), headers })
  if (response.statusCode !== 200 && response.statusCode !== 206)
    throw problemError(parseLoosely(await readAll(response)), response.statusCode ?? 0)
  // A server may send the whole in spite of the range, and does when we ask for nothing: a crash may have left all bytes here.
  const held = response.statusCode === 206 ? 0 : offset
  const size = offset - held + Number(response.headers['content-length'])
  if (!Number.isSafeInteger(size)) {
    response.destroy()
    fail('unavailable', 'the hub does not say how long the blob is')
  }
  try {
    await blobs.uploadChunk(digest, size, offset, without(response, held))
  } catch (error) {
    response.destroy()
    const interrupted =
      !(error instanceof EntenteError) || error.code === 'offset-mismatch' || error.code === 'blob-truncated'
    if (!interrupted) throw error
    if (last) throw unavailable(`the download of ${digest} broke`, error)
  }
}

/** The bytes after the first `count`. */
async function* without(chunks: AsyncIterable<Uint8Array>, count: number): AsyncGenerator<Uint8Array> {
  let ahead = count
  for await (const chunk of chunks) {
    const skipped = Math.min(ahead, chunk.length)
    ahead -= skipped
    if (skipped < chunk.length) yield chunk.subarray(skipped)
  }
}

const blobPath = (digest: Digest): string => `${API}/blobs/${digest}`

/** A HEAD response has no body: its code comes in a header. */
function codeHeader(response: IncomingMessage): unknown {
  return { code: response.headers['x-error-code'], detail: `the hub refused with status ${response.statusCode}` }
}

function parseLoosely(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    return undefined
  }
}
