import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openFileBlobs } from '../src/node/blobs/files.ts'
import { loadKernels } from '../src/node/kernels.ts'
import { weigh } from './large.ts'
import { aggregateFiles, readFiles } from './mean.ts'
import { sideBySide } from './measure.ts'
import { writeFiles } from './updates.ts'

let root: string
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'entente-slow-'))
})
afterAll(() => rm(root, { recursive: true, force: true }))

describe('aggregation streams', () => {
  it('eight updates of 400 MB each in less than 600 MB of memory', async () => {
    const { peakRssBytes } = await weigh('slow')
    expect(peakRssBytes).toBeLessThan(600e6)
  })

  it('a hundred updates of a million values within 1.5 times of reading the same bytes once', async () => {
    const blobs = await openFileBlobs(root)
    const files = await writeFiles(blobs, 100, 1_000_000, 'slow')
    const kernels = loadKernels()
    const contenders = { read: () => readFiles(blobs, files), mean: () => aggregateFiles(blobs, files, kernels) }
    const { read, mean } = await sideBySide(contenders, 15)
    // The fastest of each: what another process takes from one of them is not the aggregation's.
    expect(mean.fastest / read.fastest).toBeLessThan(1.5)
  })
})
