import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { EntenteError } from '../../base/errors.ts'
import { sha256Hex } from '../../base/hash.ts'
import { federationId, organisationId } from '../../base/ids.ts'
import { openFileBlobs } from '../blobs/files.ts'
import type { Blobs } from '../ports.ts'
import { createAuthority, createRequest, issueCertificate, issueKeyed } from './certificates.ts'
import { createHubClient } from './client.ts'
import { createHttpClient } from './http.ts'
import { decodeInvitation, encodeInvitation } from './invitation.ts'
import { type Peer, peerOfAltName, peerOfSocket } from './spiffe.ts'
import { type Authority, serverTls, type TlsMaterial } from './tls.ts'

const FEDERATION = federationId('isac.example')
const BANK = organisationId('bank-a')
const NOWHERE = 'https://127.0.0.1:9'

let authority: Authority
let material: TlsMaterial
let directory: string
let blobs: Blobs
const closers: (() => void)[] = []

beforeAll(async () => {
  authority = await createAuthority(FEDERATION, Date.now())
  material = await materialOf({ role: 'organisation', organisation: BANK })
  directory = await mkdtemp(join(tmpdir(), 'entente-transport-'))
  blobs = await openFileBlobs(directory)
})

afterAll(async () => {
  for (const close of closers) close()
  await rm(directory, { recursive: true, force: true })
})

async function materialOf(peer: Peer, issuer = authority): Promise<TlsMaterial> {
  return {
    ...(await issueKeyed(issuer, { federation: FEDERATION, peer, now: Date.now() })),
    authority: issuer.certificate,
  }
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void

/** A TLS server of the given identity. */
async function serve(handler: Handler, peer: Peer = { role: 'hub' }, issuer = authority): Promise<string> {
  return serveWith(await materialOf(peer, issuer), handler)
}

async function serveWith(shown: TlsMaterial, handler: Handler): Promise<string> {
  const server = createServer(serverTls(shown), handler)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closers.push(() => void server.close().closeAllConnections())
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function client(...urls: string[]) {
  const http = createHttpClient({ urls, tls: { federation: FEDERATION, material } })
  closers.push(http.close)
  return http
}

const codeOf = async (call: Promise<unknown>) =>
  call.then(
    () => undefined,
    (error: unknown) => (error as EntenteError).code,
  )

describe('identity', () => {
  it('is the one URI of the certificate, of this federation', () => {
    const uri = `URI:spiffe://${FEDERATION}/organisation/bank-a`
    expect(peerOfAltName(`DNS:localhost, ${uri}`, FEDERATION)).toEqual({ role: 'organisation', organisation: BANK })
    for (const wrong of [
      undefined,
      '',
      'DNS:bank-a',
      `${uri}, ${uri}`,
      'URI:spiffe://other.example/organisation/bank-a',
      `URI:spiffe://${FEDERATION}/organisation/hub/x`,
      `URI:spiffe://${FEDERATION}/root`,
    ])
      expect(() => peerOfAltName(wrong, FEDERATION), String(wrong)).toThrow(EntenteError)
  })

  it('reaches the server through the handshake', async () => {
    const url = await serve((request, response) =>
      response.end(JSON.stringify(peerOfSocket(request.socket as TLSSocket, FEDERATION) ?? null)),
    )
    expect(await client(url).call({ method: 'GET', path: '/' })).toEqual({ role: 'organisation', organisation: BANK })
  })

  it('is given only for a request that the requested key itself signed', async () => {
    const { csr } = await createRequest()
    await expect(
      issueCertificate(authority, csr.replace(/[A-Z]/, 'b'), { federation: FEDERATION, peer: { role: 'hub' }, now: 0 }),
    ).rejects.toThrow()
  })

  it('a server that is not the hub is not spoken to, though the authority knows it', async () => {
    const certifiedAsClient = await serve((_request, response) => response.end('{}'), { role: 'operator' })
    expect(await codeOf(client(certifiedAsClient).call({ method: 'GET', path: '/' }))).toBe('unavailable')
    const elsewhere = federationId('other.example')
    const keyed = await issueKeyed(authority, { federation: elsewhere, peer: { role: 'hub' }, now: Date.now() })
    const url = await serveWith({ ...keyed, authority: authority.certificate }, (_request, response) =>
      response.end('{}'),
    )
    expect(await codeOf(client(url).call({ method: 'GET', path: '/' }))).toBe('unauthenticated')
  })

  it('a hub of another authority is not spoken to', async () => {
    const other = await createAuthority(FEDERATION, Date.now())
    const url = await serve((_request, response) => response.end('{}'), { role: 'hub' }, other)
    expect(await codeOf(client(url).call({ method: 'GET', path: '/' }))).toBe('unavailable')
  })
})

describe('several addresses', () => {
  it('goes to the next when one does not answer, and stays there', async () => {
    let asked = 0
    const url = await serve((_request, response) => {
      asked++
      response.end('{}')
    })
    const http = client(NOWHERE, url)
    await http.call({ method: 'GET', path: '/' })
    await http.call({ method: 'GET', path: '/' })
    expect(asked).toBe(2)
  })

  it('goes to the next when one is stopping', async () => {
    const stopping = await serve((_request, response) => response.writeHead(503).end())
    const well = await serve((_request, response) => response.end('"well"'))
    expect(await client(stopping, well).call({ method: 'GET', path: '/' })).toBe('well')
  })

  it('names each failure when none answers', async () => {
    await expect(client(NOWHERE).call({ method: 'GET', path: '/' })).rejects.toMatchObject({
      code: 'unavailable',
      details: { failures: { [NOWHERE]: 'ECONNREFUSED' } },
    })
  })

  it('gives up on silence', async () => {
    const url = await serve(() => undefined)
    await expect(client(url).call({ method: 'GET', path: '/', timeoutMs: 100 })).rejects.toMatchObject({
      details: { failures: { [url]: 'ETIMEDOUT' } },
    })
  })
})

describe('errors', () => {
  it('are those of the server, with code and particulars', async () => {
    const problem = { code: 'round-closed', detail: 'too late', details: { phase: 'done' } }
    const url = await serve((_request, response) => response.writeHead(409).end(JSON.stringify(problem)))
    await expect(client(url).call({ method: 'GET', path: '/' })).rejects.toMatchObject({
      code: 'round-closed',
      message: 'too late',
      details: { phase: 'done' },
    })
  })

  it('of something that is no hub are unavailable', async () => {
    const url = await serve((_request, response) => response.end('<html>'))
    expect(await codeOf(client(url).call({ method: 'GET', path: '/' }))).toBe('unavailable')
  })
})

describe('downloads', () => {
  const content = randomBytes(300_000)

  it('go on at the byte where the connection broke', async () => {
    const ranges: (string | undefined)[] = []
    const url = await serve((request, response) => {
      ranges.push(request.headers.range)
      const start = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0)
      const rest = content.subarray(start)
      response.writeHead(start > 0 ? 206 : 200, { 'content-length': rest.length })
      if (ranges.length > 1) response.end(rest)
      else response.write(rest.subarray(0, 100_000), () => setTimeout(() => response.destroy(), 50))
    })
    const hub = createHubClient({ urls: [url], tls: { federation: FEDERATION, material } })
    closers.push(hub.close)
    await hub.download(sha256Hex(content), blobs)
    expect(await blobs.size(sha256Hex(content))).toBe(content.length)
    expect(ranges).toEqual([undefined, 'bytes=100000-'])
  })

  it.each([0, 1000])(
    'complete what a crash left whole but unfinished, less %i bytes, from a server that sends all again',
    async (missing) => {
      async function* brokenAfter(bytes: Uint8Array): AsyncIterable<Uint8Array> {
        yield bytes
        throw new Error('the process died')
      }
      const unfinished = randomBytes(300_000)
      const digest = sha256Hex(unfinished)
      const held = unfinished.subarray(0, unfinished.length - missing)
      await blobs.uploadChunk(digest, unfinished.length, 0, brokenAfter(held)).catch(() => undefined)
      expect(await blobs.uploadOffset(digest)).toBe(held.length)
      const url = await serve((_request, response) =>
        response.writeHead(200, { 'content-length': unfinished.length }).end(unfinished),
      )
      const hub = createHubClient({ urls: [url], tls: { federation: FEDERATION, material } })
      closers.push(hub.close)
      await hub.download(digest, blobs)
      expect(await blobs.size(digest)).toBe(unfinished.length)
    },
  )

  it('refuse bytes that are not those of the digest', async () => {
    const url = await serve((_request, response) =>
      response.writeHead(200, { 'content-length': 100 }).end(randomBytes(100)),
    )
    const hub = createHubClient({ urls: [url], tls: { federation: FEDERATION, material } })
    closers.push(hub.close)
    expect(await codeOf(hub.download(sha256Hex(randomBytes(100)), blobs))).toBe('digest-mismatch')
  })
})

describe('invitations', () => {
  const invitation = {
    v: 1 as const,
    federation: FEDERATION,
    urls: ['https://hub.example:1'],
    authority: 'PEM',
    token: 'x'.repeat(43),
    expiresAt: 1000,
  }

  it('survive being written and read', () => {
    expect(decodeInvitation(`${encodeInvitation(invitation)}\n`, 999)).toEqual(invitation)
  })

  it('are refused when expired, cut short or made up', () => {
    const encoded = encodeInvitation(invitation)
    expect(() => decodeInvitation(encoded, 1000)).toThrow('expired')
    for (const wrong of [
      '',
      'hello',
      encoded.slice(0, -9),
      encodeInvitation({ ...invitation, urls: ['http://hub.example'] }),
    ])
      expect(() => decodeInvitation(wrong, 0)).toThrow(expect.objectContaining({ code: 'invitation-invalid' }))
  })
})
