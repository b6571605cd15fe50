/** Mean aggregation of a hundred updates, against reading the same bytes and against NumPy. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openFileBlobs } from '../src/node/blobs/files.ts'
import { loadKernels } from '../src/node/kernels.ts'
import { aggregateFiles, aggregateOnly, readFiles } from './mean.ts'
import { sideBySide } from './measure.ts'
import { numpyMean, numpyVersion } from './numpy.ts'
import { duration, type Section, skipped } from './report.ts'
import { writeFiles } from './updates.ts'

const COUNT = 100
const PARAMETERS = 1_000_000

export async function benchAggregation(seed: string, runs: number): Promise<Section> {
  const root = await mkdtemp(join(tmpdir(), 'entente-bench-'))
  try {
    const blobs = await openFileBlobs(root)
    const files = await writeFiles(blobs, COUNT, PARAMETERS, seed)
    const kernels = loadKernels()
    const paths = files.updates.map((digest) => join(root, digest.slice(0, 2), digest))
    const version = await numpyVersion()
    const { read, only, mean, numpy } = await sideBySide(
      {
        read: () => readFiles(blobs, files),
        only: () => aggregateOnly(blobs, files, kernels),
        mean: () => aggregateFiles(blobs, files, kernels),
        numpy: version === undefined ? undefined : () => numpyMean(paths),
      },
      runs,
    )
    const times = ({ median }: { median: number }): string => `${(median / read.median).toFixed(2)} times the reading`
    return {
      title: 'Mean aggregation',
      setting: `${COUNT} updates of ${PARAMETERS.toLocaleString('en')} float32, ${((COUNT * files.bytes) / 1e6).toFixed(0)} MB, from files in the page cache; seed ${seed}`,
      rows: [
        duration('reading the bytes once', read),
        duration('FedAvg, streamed, float64', only, times(only)),
        duration('the same, to a new durable model (hashed, fsync, rename)', mean, times(mean)),
        numpy === undefined
          ? skipped('NumPy', 'python3 has no NumPy here')
          : duration(`NumPy ${version}, one file at a time, float64`, numpy),
      ],
    }
  } finally {
    await rm(root, { recursive: true, force: true })
  }
}
