import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type SmallDisk, smallDisk } from '../../../test/small-disk.ts'
import { sha256Hex } from '../../base/hash.ts'
import type { Digest } from '../../base/ids.ts'
import type { Blobs } from '../ports.ts'
import { describeBlobs } from '../ports.suite.ts'
import { openFileBlobs } from './files.ts'

describeBlobs('files', async () => {
  const root = await mkdtemp(join(tmpdir(), 'entente-blobs-'))
  return { blobs: await openFileBlobs(root), close: () => rm(root, { recursive: true, force: true }) }
})

const pattern = (length: number) => new Uint8Array(length).map((_, index) => (index * 31) % 251)

async function* once(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes
}

async function contentOf(blobs: Blobs, digest: Digest): Promise<Uint8Array> {
  const reader = await blobs.open(digest)
  const content = new Uint8Array(reader.size)
  await reader.read(0, content)
  await reader.close()
  return content
}

async function partials(root: string): Promise<string[]> {
  return readdir(join(root, 'partial'))
}

let root: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'entente-blobs-'))
})
afterEach(() => rm(root, { recursive: true, force: true }))

describe('blobs in files', () => {
  it('an upload goes on in another process from the offset that was acknowledged', async () => {
    const bytes = pattern(5000)
    const digest = sha256Hex(bytes)
    await (await openFileBlobs(root)).uploadChunk(digest, 5000, 0, once(bytes.subarray(0, 2000)))
    const next = await openFileBlobs(root)
    expect(await next.uploadOffset(digest)).toBe(2000)
    await next.uploadChunk(digest, 5000, 2000, once(bytes.subarray(2000)))
    expect(await contentOf(next, digest)).toEqual(bytes)
    expect(await partials(root)).toEqual([])
  })

  it('any split of any bytes into chunks and requests gives the same blob', async () => {
    const blobs = await openFileBlobs(root)
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 300 }),
        fc.array(fc.nat(100), { maxLength: 6 }),
        async (bytes, cuts) => {
          const digest = sha256Hex(bytes)
          for (const cut of [...cuts, bytes.length]) {
            const offset = await blobs.uploadOffset(digest)
            if (offset < bytes.length || bytes.length === 0)
              await blobs.uploadChunk(digest, bytes.length, offset, once(bytes.subarray(offset, Math.max(cut, offset))))
          }
          expect(await contentOf(blobs, digest)).toEqual(bytes)
        },
      ),
      { numRuns: 40 },
    )
  })

  it('bytes that somebody changed in a partial file are found out', async () => {
    const bytes = pattern(5000)
    const digest = sha256Hex(bytes)
    const blobs = await openFileBlobs(root)
    await blobs.uploadChunk(digest, 5000, 0, once(bytes.subarray(0, 2000)))
    await writeFile(join(root, 'partial', `${digest}.upload`), pattern(2000).fill(9))
    const work = blobs.uploadChunk(digest, 5000, 2000, once(bytes.subarray(2000)))
    await expect(work).rejects.toMatchObject({ code: 'digest-mismatch' })
    expect(await blobs.size(digest)).toBeUndefined()
    expect(await blobs.uploadOffset(digest)).toBe(0)
  })

  it('nobody else writes into an upload under way, whatever they send', async () => {
    const bytes = pattern(4000)
    const digest = sha256Hex(bytes)
    const [one, other] = [await openFileBlobs(root), await openFileBlobs(root)]
    const half = Promise.withResolvers<void>()
    async function* slowly(): AsyncIterable<Uint8Array> {
      yield bytes.subarray(0, 2000)
      half.resolve()
      await new Promise((resolve) => setTimeout(resolve, 200))
      yield bytes.subarray(2000)
    }
    const honest = one.uploadChunk(digest, 4000, 0, slowly())
    await half.promise
    const forged = other.uploadChunk(digest, 4000, 2000, once(pattern(2000).fill(9)))
    const whole = { offset: 4000, complete: true }
    expect(await Promise.all([honest, forged])).toEqual([whole, whole])
    expect(await contentOf(one, digest)).toEqual(bytes)
  })

  it('a request that sends too much leaves the upload where it was', async () => {
    const bytes = pattern(4000)
    const digest = sha256Hex(bytes)
    const blobs = await openFileBlobs(root)
    await blobs.uploadChunk(digest, 4000, 0, once(bytes.subarray(0, 1000)))
    async function* tooMuch(): AsyncIterable<Uint8Array> {
      yield pattern(500).fill(9)
      yield pattern(3000)
    }
    await expect(blobs.uploadChunk(digest, 4000, 1000, tooMuch())).rejects.toMatchObject({ code: 'body-too-large' })
    expect(await blobs.uploadOffset(digest)).toBe(1000)
    await blobs.uploadChunk(digest, 4000, 1000, once(bytes.subarray(1000)))
    expect(await contentOf(blobs, digest)).toEqual(bytes)
  })

  it('a name that is not a digest reaches no path', async () => {
    const blobs = await openFileBlobs(join(root, 'deep', 'blobs'))
    for (const name of ['../../etc/passwd', 'AB'.repeat(32), '', `${'a'.repeat(63)}/`]) {
      await expect(blobs.open(name as Digest)).rejects.toMatchObject({ code: 'invalid-request' })
      await expect(blobs.uploadChunk(name as Digest, 1, 0, once(pattern(1)))).rejects.toMatchObject({
        code: 'invalid-request',
      })
    }
  })

  it('sizes and offsets that make no sense are refused', async () => {
    const blobs = await openFileBlobs(root, { sizeMax: 100 })
    const upload = (size: number, offset: number) => blobs.uploadChunk(sha256Hex(), size, offset, once(pattern(1)))
    await expect(upload(101, 0)).rejects.toMatchObject({ code: 'body-too-large' })
    await expect(upload(10, 11)).rejects.toMatchObject({ code: 'body-too-large' })
    for (const [size, offset] of [
      [-1, 0],
      [1.5, 0],
      [10, -1],
      [Number.NaN, 0],
    ] as const)
      await expect(upload(size, offset)).rejects.toMatchObject({ code: 'invalid-request' })
    const writer = await blobs.create()
    await expect(writer.write(pattern(101))).rejects.toMatchObject({ code: 'body-too-large' })
    expect(await partials(root)).toEqual([])
  })

  it('what killed processes and vanished peers left is removed at the next start, and nothing else', async () => {
    const partial = join(root, 'partial')
    await mkdir(partial)
    const [dead, old, recent] = [
      '4194303-1.ab.new',
      `${sha256Hex(pattern(1))}.upload`,
      `${sha256Hex(pattern(2))}.upload`,
    ]
    for (const name of [dead, old, recent]) await writeFile(join(partial, name), 'x')
    await utimes(join(partial, old), new Date(0), new Date(0))
    const writer = await (await openFileBlobs(root)).create()
    await openFileBlobs(root)
    expect([dead, old, recent].map((name) => existsSync(join(partial, name)))).toEqual([false, false, true])
    await writer.write(pattern(3))
    expect((await writer.commit()).size).toBe(3)
  })
})

describe('blobs of several processes in one directory', () => {
  const LENGTH = 400_000
  const script = fileURLToPath(new URL('fixtures/uploading-process.ts', import.meta.url))

  function startUpload(pauseMs: number) {
    const child = spawn(process.execPath, [script, root, String(LENGTH), String(pauseMs)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const lines: { what: string; offset?: number }[] = []
    createInterface({ input: child.stdout }).on('line', (line) => lines.push(JSON.parse(line) as { what: string }))
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
    return { child, lines, ended }
  }

  it('two processes upload the same blob at once, and it is whole', async () => {
    const two = [startUpload(2), startUpload(2)]
    expect(await Promise.all(two.map(({ ended }) => ended))).toEqual([0, 0])
    const bytes = pattern(LENGTH)
    expect(await contentOf(await openFileBlobs(root), sha256Hex(bytes))).toEqual(bytes)
    expect(await partials(root)).toEqual([])
  })

  it('a process killed in the middle loses nothing that it acknowledged, and another goes on at once', async () => {
    const first = startUpload(5)
    while (first.lines.length < 3) await new Promise((resolve) => setTimeout(resolve, 5))
    first.child.kill('SIGKILL')
    await first.ended
    const digest = sha256Hex(pattern(LENGTH))
    const blobs = await openFileBlobs(root)
    const kept = await blobs.uploadOffset(digest)
    expect(kept).toBeGreaterThanOrEqual(first.lines.at(-1)?.offset ?? Number.POSITIVE_INFINITY)
    expect(await startUpload(0).ended).toBe(0)
    expect(await contentOf(blobs, digest)).toEqual(pattern(LENGTH))
  })
})

describe('a full disk', () => {
  let disk: SmallDisk | undefined
  beforeEach(() => {
    disk = smallDisk('2m')
  })
  afterEach(() => disk?.remove())

  it('refuses with storage-full, keeps what is complete, and goes on when there is space again', async (test) => {
    if (disk === undefined) return test.skip('this user may not mount a small file system')
    const where = join(disk.directory, 'blobs')
    const blobs = await openFileBlobs(where)
    const small = pattern(1000)
    await blobs.uploadChunk(sha256Hex(small), 1000, 0, once(small))
    const ballast = join(disk.directory, 'ballast')
    await writeFile(ballast, pattern(1_000_000))

    const large = pattern(1_500_000)
    const digest = sha256Hex(large)
    async function* inPieces(from: number): AsyncIterable<Uint8Array> {
      for (let at = from; at < large.length; at += 64_000) yield large.subarray(at, at + 64_000)
    }
    await expect(blobs.uploadChunk(digest, large.length, 0, inPieces(0))).rejects.toMatchObject({
      code: 'storage-full',
      retryable: true,
    })
    const kept = await blobs.uploadOffset(digest)
    expect(kept).toBeGreaterThan(500_000)
    expect(await contentOf(blobs, sha256Hex(small))).toEqual(small)

    const writer = await blobs.create()
    await expect(writer.write(large)).rejects.toMatchObject({ code: 'storage-full' })
    expect((await partials(where)).filter((name) => name.endsWith('.new'))).toEqual([])

    await rm(ballast)
    expect(await blobs.uploadChunk(digest, large.length, kept, inPieces(kept))).toEqual({
      offset: large.length,
      complete: true,
    })
    expect(await contentOf(blobs, digest)).toEqual(large)
  })
})
