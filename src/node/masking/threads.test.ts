import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { toBase64Url } from '../../base/bytes.ts'
import type { OrganisationId } from '../../base/ids.ts'
import { prng } from '../../base/prng.ts'
import { scaleFor } from '../../privacy/masking/quantise.ts'
import { type MaskOrder, maskUpdate, type UnmaskOrder, unmaskSum } from '../../privacy/masking/vector.ts'
import { openFileBlobs } from '../blobs/files.ts'
import { writeBlob } from '../model-files.ts'
import type { Blobs } from '../ports.ts'
import { createMaskingThreads, type MaskingOptions, type MaskingThreads } from './threads.ts'

/** Not a multiple of any range, nor of the lanes of the kernels. */
const LENGTH = 70_001
const HOW: readonly Omit<MaskingOptions, 'blobs'>[] = [
  { threads: 0 },
  { threads: 0, slotBytes: 1 },
  { threads: 1, slotBytes: 1 },
  { threads: 2 },
  { threads: 2, slotBytes: 1 },
]

let root: string
let blobs: Blobs

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'entente-masking-'))
  blobs = await openFileBlobs(root)
})
afterAll(() => rm(root, { recursive: true, force: true }))

async function using<T>(how: Omit<MaskingOptions, 'blobs'>, work: (masking: MaskingThreads) => Promise<T>): Promise<T> {
  const masking = createMaskingThreads({ blobs, ...how })
  try {
    return await work(masking)
  } finally {
    await masking.close()
  }
}

const random = prng('masking threads')
const bytes = (count: number): Uint8Array =>
  Uint8Array.from({ length: count }, () => Math.floor(random.uniform() * 256))
const seed = (sign: '+' | '-'): string => sign + toBase64Url(bytes(16))
/** Beyond the clip bound here and there. */
const updateOf = (length = LENGTH): Float32Array => Float32Array.from({ length }, () => 2.2 * random.uniform() - 1.1)

const scaleOf = (width: 32 | 64) => scaleFor(width === 32 ? 10 : 100_000, 1, 100)
const maskOrder = (width: 32 | 64): MaskOrder => ({
  length: LENGTH,
  weight: 70,
  scale: scaleOf(width),
  rounding: toBase64Url(bytes(16)),
  masks: [seed('+'), seed('-'), seed('+')],
})

async function read(digest: Parameters<Blobs['open']>[0]): Promise<Uint8Array> {
  const reader = await blobs.open(digest)
  const all = new Uint8Array(reader.size)
  await reader.read(0, all)
  await reader.close()
  return all
}

const partial = () => readdir(join(root, 'partial'))

describe.each(HOW)('masking over stored blobs with %j', (how) => {
  it.each([32, 64] as const)('gives the vector of maskUpdate, of %d bits', async (width) => {
    const order = maskOrder(width)
    const update = updateOf()
    const expected = maskUpdate(order, update)
    const file = await writeBlob(blobs, new Uint8Array([1, 2, 3, 4, ...new Uint8Array(update.buffer)]))
    await using(how, async (masking) => {
      const reader = await blobs.open(file.digest)
      const fromFile = await masking.mask(order, { file: reader, dataOffset: 4 })
      await reader.close()
      expect(await masking.mask(order, update)).toEqual(fromFile)
      expect(fromFile.clipped).toBe(expected.clipped)
      expect(Buffer.compare(await read(fromFile.digest), expected.words)).toBe(0)
    })
  })

  it('masks several updates at the same time, and one after another, each as by itself', async () => {
    const jobs = Array.from({ length: 3 }, () => ({ order: maskOrder(32), update: updateOf() }))
    const expected = jobs.map(({ order, update }) => Buffer.from(maskUpdate(order, update).words))
    await using(how, async (masking) => {
      for (let time = 0; time < 2; time++) {
        const stored = await Promise.all(jobs.map(({ order, update }) => masking.mask(order, update)))
        for (const [i, { digest }] of stored.entries())
          expect(Buffer.compare(await read(digest), expected[i] as Buffer)).toBe(0)
      }
    })
  })

  it.each([32, 64] as const)('gives the sum of unmaskSum, of %d bits', async (width) => {
    const vectors = [bytes((LENGTH * width) / 8), bytes((LENGTH * width) / 8), bytes((LENGTH * width) / 8)]
    const order = await unmaskOrder(width, vectors)
    await using(how, async (masking) => {
      const { digest, size } = await masking.unmask(order)
      expect(size).toBe((LENGTH * width) / 8)
      expect(Buffer.compare(await read(digest), unmaskSum(order, vectors))).toBe(0)
    })
  })

  it('refuses an update that is not finite, stores nothing of it, and goes on', async () => {
    const update = updateOf()
    await using(how, async (masking) => {
      await expect(masking.mask(maskOrder(32), update.with(40_000, Number.NaN))).rejects.toMatchObject({
        code: 'not-finite',
      })
      expect(await partial()).toEqual([])
      expect((await masking.mask(maskOrder(32), update)).size).toBe(4 * LENGTH)
    })
  })

  it('refuses a vector of another length, and one that is not there', async () => {
    const order = await unmaskOrder(32, [bytes(4 * LENGTH), bytes(4 * LENGTH + 4)])
    const missing = { ...order, vectors: [{ organisation: 'a' as OrganisationId, vector: 'f'.repeat(64) as never }] }
    await using(how, async (masking) => {
      await expect(masking.unmask(order)).rejects.toMatchObject({ code: 'wrong-shape' })
      await expect(masking.unmask(missing)).rejects.toMatchObject({ code: 'blob-missing' })
      await expect(masking.mask(maskOrder(32), updateOf(LENGTH + 1))).rejects.toMatchObject({ code: 'wrong-shape' })
      expect(await partial()).toEqual([])
    })
  })
})

async function unmaskOrder(width: 32 | 64, vectors: readonly Uint8Array[]): Promise<UnmaskOrder> {
  const stored = await Promise.all(vectors.map((vector) => writeBlob(blobs, vector)))
  return {
    length: LENGTH,
    scale: scaleOf(width),
    totalWeight: 100,
    vectors: stored.map(({ digest }, i) => ({ organisation: `org-${i}` as OrganisationId, vector: digest })),
    masks: [seed('-'), seed('+'), seed('-'), seed('-')],
  }
}

it('refuses a number of threads that is none, and work after it was closed', async () => {
  expect(() => createMaskingThreads({ blobs, threads: 1.5 })).toThrow(/threads/)
  for (const threads of [0, 1]) {
    const masking = createMaskingThreads({ blobs, threads })
    await masking.close()
    await expect(masking.mask(maskOrder(32), updateOf())).rejects.toMatchObject({ code: 'unavailable' })
  }
})
