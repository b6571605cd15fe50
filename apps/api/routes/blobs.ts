/** Content-addressed files in and out: streamed, and resumable at the byte where the connection broke. */

import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { fail } from '../../../src/base/errors.ts'
import type { Digest } from '../../../src/base/ids.ts'
import type { BlobReader, Blobs } from '../../../src/node/ports.ts'
import { digestSchema, parseDigest } from '../schemas/common.ts'
import type { Api } from '../server.ts'

const READ_BYTES = 1 << 18
const DRAIN_BYTES_MAX = 16 << 20
const params = z.object({ digest: digestSchema })

export interface BlobAccess {
  readonly blobs: Blobs
  readonly bytesMax: number
  /** @throws unless the caller may upload */
  authoriseUpload(request: FastifyRequest): Promise<unknown>
  /** @throws unless the caller may read this blob; not-found for one that is not for it */
  authoriseDownload(request: FastifyRequest, digest: Digest): Promise<unknown>
}

export function uploadRoutes(app: Api, prefix: string, access: BlobAccess): void {
  // The body goes to the disk as it comes; nothing is parsed and nothing is held.
  app.addContentTypeParser('application/octet-stream', (_request, _payload, done) => done(null))

  app.head(`${prefix}/blobs/:digest`, { schema: { params } }, async (request, reply) => {
    await access.authoriseUpload(request)
    // Announced here, a blob that is too large is refused before its first byte is sent.
    checkSize(wholeNumber(request, 'upload-length') ?? 0, access.bytesMax)
    const digest = parseDigest(request.params.digest)
    const size = await access.blobs.size(digest)
    if (size !== undefined) return reply.status(200).header('upload-offset', size).header('content-length', size).send()
    const offset = await access.blobs.uploadOffset(digest)
    return reply.status(404).header('upload-offset', offset).header('x-error-code', 'not-found').send()
  })

  app.put(`${prefix}/blobs/:digest`, { schema: { params } }, async (request, reply) => {
    // Whoever is refused while sending much is cut off; a little is read to its end, so that the answer arrives.
    if ((wholeNumber(request, 'content-length') ?? Number.POSITIVE_INFINITY) > DRAIN_BYTES_MAX)
      void reply.header('connection', 'close')
    await access.authoriseUpload(request)
    const digest = parseDigest(request.params.digest)
    const { size, offset } = uploadRange(request)
    checkSize(size, access.bytesMax)
    const result = await access.blobs.uploadChunk(digest, size, offset, request.raw)
    void reply.removeHeader('connection')
    return reply.status(result.complete ? 201 : 200).send({ digest, ...result })
  })
}

function checkSize(size: number, bytesMax: number): void {
  if (size > bytesMax) fail('body-too-large', `a blob may have ${bytesMax} bytes, not ${size}`)
}

function uploadRange(request: FastifyRequest): { size: number; offset: number } {
  const offset = wholeNumber(request, 'upload-offset') ?? 0
  const length = wholeNumber(request, 'content-length')
  const size = wholeNumber(request, 'upload-length') ?? (length === undefined ? undefined : offset + length)
  if (size === undefined) fail('invalid-request', 'an upload needs the header upload-length')
  if (length !== undefined && offset + length > size) fail('invalid-request', 'the body goes beyond upload-length')
  return { size, offset }
}

function wholeNumber(request: FastifyRequest, name: string): number | undefined {
  const value = request.headers[name]
  if (value === undefined) return undefined
  const number = Number(value)
  if (typeof value !== 'string' || !/^\d{1,15}$/.test(value))
    fail('invalid-request', `the header ${name} is not a whole number`)
  return number
}

export function downloadRoutes(
  app: Api,
  prefix: string,
  access: Pick<BlobAccess, 'blobs' | 'authoriseDownload'>,
): void {
  app.get(`${prefix}/blobs/:digest`, { schema: { params }, exposeHeadRoute: false }, async (request, reply) => {
    const digest = parseDigest(request.params.digest)
    await access.authoriseDownload(request, digest)
    if ((await access.blobs.size(digest)) === undefined) fail('not-found', `the blob ${digest} is not here`)
    const reader = await access.blobs.open(digest)
    const start = rangeStart(request, reader.size)
    return sendFrom(reply, reader, start)
  })
}

/** Only `bytes=<start>-` is known; anything else gets the whole, as RFC 9110 section 14.2 allows. */
function rangeStart(request: FastifyRequest, size: number): number {
  const match = /^bytes=(\d{1,15})-$/.exec(request.headers.range ?? '')
  const start = Number(match?.[1] ?? 0)
  return start < size ? start : 0
}

function sendFrom(reply: FastifyReply, reader: BlobReader, start: number): FastifyReply {
  if (start > 0) void reply.status(206).header('content-range', `bytes ${start}-${reader.size - 1}/${reader.size}`)
  const body = Readable.from(bytesFrom(reader, start), { objectMode: false })
  body.once('close', () => void reader.close())
  return reply
    .type('application/octet-stream')
    .header('content-length', reader.size - start)
    .header('accept-ranges', 'bytes')
    .header('etag', `"${reader.digest}"`)
    .send(body)
}

async function* bytesFrom(reader: BlobReader, start: number): AsyncGenerator<Uint8Array> {
  for (let offset = start; offset < reader.size; offset += READ_BYTES) {
    const chunk = new Uint8Array(Math.min(READ_BYTES, reader.size - offset))
    await reader.read(offset, chunk)
    yield chunk
  }
}
