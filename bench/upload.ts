/** Uploads from one process to another over mutual TLS, against writing the same bytes to the same disk. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Digest, organisationId } from '../src/base/ids.ts'
import { prng } from '../src/base/prng.ts'
import { openFileBlobs } from '../src/node/blobs/files.ts'
import type { Blobs } from '../src/node/ports.ts'
import { createHubClient } from '../src/node/transport/client.ts'
import { createAuthority, issueKeyed } from '../src/node/transport/certificates.ts'
import { summarise, time } from './measure.ts'
import { rate, type Section } from './report.ts'
import { FEDERATION } from './upload-server.ts'

const BYTES = 128 << 20

export async function benchUpload(seed: string, runs: number): Promise<Section> {
  const root = await mkdtemp(join(tmpdir(), 'entente-bench-'))
  const material = await makeCertificates(root)
  const { server, port } = await startServer(root)
  const client = createHubClient({ urls: [`https://127.0.0.1:${port}`], tls: { federation: FEDERATION, material } })
  try {
    const [own, copy] = [await openFileBlobs(join(root, 'own')), await openFileBlobs(join(root, 'copy'))]
    const uploads: number[] = []
    const writes: number[] = []
    for (let run = 0; run <= runs; run++) {
      const bytes = randomBytes(`${seed}/${run}`)
      const digest = await write(own, bytes)
      const [upload, local] = [
        await time(() => client.upload(digest, own)),
        await time(async () => void (await write(copy, bytes))),
      ]
      if (run > 0) {
        uploads.push(upload)
        writes.push(local)
      }
    }
    return {
      title: 'Upload',
      setting: `a blob of ${(BYTES / 1e6).toFixed(0)} MB between two processes of this machine; both ends hash, the receiver flushes to disk; seed ${seed}`,
      rows: [
        rate('written and hashed locally', BYTES / 1e6, 'MB', summarise(writes), 'flushed to disk'),
        rate('uploaded over mutual TLS', BYTES / 1e6, 'MB', summarise(uploads), 'TLS 1.3, one connection'),
      ],
    }
  } finally {
    client.close()
    server.kill()
    await rm(root, { recursive: true, force: true })
  }
}

/** The hub's go into `hub.json`, for its process; those of the organisation are returned. */
async function makeCertificates(root: string) {
  const now = Date.now()
  const authority = await createAuthority(FEDERATION, now)
  const issue = async (peer: Parameters<typeof issueKeyed>[1]['peer']) => ({
    ...(await issueKeyed(authority, { federation: FEDERATION, peer, now })),
    authority: authority.certificate,
  })
  await writeFile(join(root, 'hub.json'), JSON.stringify(await issue({ role: 'hub' })), { mode: 0o600 })
  return issue({ role: 'organisation', organisation: organisationId('bank-a') })
}

async function startServer(root: string): Promise<{ server: ChildProcess; port: number }> {
  const program = fileURLToPath(new URL('upload-server.ts', import.meta.url))
  const server = spawn(process.execPath, [program, root], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = (await once(server.stdout, 'data')) as [Buffer]
  return { server, port: Number(line.toString()) }
}

/** Different for each label: what the hub has already is not sent again. */
function randomBytes(label: string): Uint8Array {
  const random = prng(`bench/upload/${label}`)
  return new Uint8Array(Uint32Array.from({ length: BYTES / 4 }, () => random.u32()).buffer)
}

async function write(blobs: Blobs, bytes: Uint8Array): Promise<Digest> {
  const writer = await blobs.create()
  for (let offset = 0; offset < bytes.length; offset += 1 << 20)
    await writer.write(bytes.subarray(offset, offset + (1 << 20)))
  return (await writer.commit()).digest
}
