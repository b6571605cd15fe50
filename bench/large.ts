/** Aggregation of updates that are far larger than the memory it may take: in a process of its own, which is weighed. */

import { execFile } from 'node:child_process'
import { mkdtemp, rm, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { digest } from '../src/base/ids.ts'
import { openFileBlobs } from '../src/node/blobs/files.ts'
import { loadKernels } from '../src/node/kernels.ts'
import { aggregateFiles } from './mean.ts'
import { time } from './measure.ts'
import { type Section, skipped } from './report.ts'
import { type Files, writeFiles } from './updates.ts'

const run = promisify(execFile)
const COUNT = 8
const PARAMETERS = 100_000_000
const FREE_BYTES_MIN = 8e9

export interface Weighed {
  readonly ms: number
  readonly peakRssBytes: number
}

export async function benchLarge(seed: string): Promise<Section> {
  const title = 'Aggregation of large updates'
  const setting = `${COUNT} updates of ${PARAMETERS.toLocaleString('en')} float32, ${((COUNT * PARAMETERS * 4) / 1e9).toFixed(1)} GB, one run in a process of its own; seed ${seed}`
  const { bavail, bsize } = await statfs(tmpdir())
  if (bavail * bsize < FREE_BYTES_MIN)
    return { title, setting, rows: [skipped('peak resident memory', 'too little free disk')] }
  const { ms, peakRssBytes } = await weigh(seed)
  const rows = [
    {
      name: 'peak resident memory',
      result: `${(peakRssBytes / 1e6).toFixed(0)} MB`,
      note: 'Node and kernels included',
    },
    { name: 'duration', result: `${(ms / 1000).toFixed(1)} s`, note: 'with hashing and writing of the new model' },
  ]
  return { title, setting, rows }
}

/** Writes the updates, and aggregates them in a new process. */
export async function weigh(seed: string): Promise<Weighed> {
  const root = await mkdtemp(join(tmpdir(), 'entente-bench-'))
  try {
    const files = await writeFiles(await openFileBlobs(root), COUNT, PARAMETERS, seed)
    const parameters = [fileURLToPath(import.meta.url), root, files.base, ...files.updates]
    const { stdout } = await run(process.execPath, parameters)
    return JSON.parse(stdout) as Weighed
  } finally {
    await rm(root, { recursive: true, force: true })
  }
}

/** The process that is weighed: `large.ts <root> <base> <update>...` */
async function main([root = '', base = '', ...updates]: readonly string[]): Promise<void> {
  const files: Files = { base: digest(base), updates: updates.map(digest), bytes: 4 * PARAMETERS }
  const blobs = await openFileBlobs(root)
  const ms = await time(() => aggregateFiles(blobs, files, loadKernels()))
  const weighed: Weighed = { ms, peakRssBytes: process.resourceUsage().maxRSS * 1024 }
  console.log(JSON.stringify(weighed))
}

if (import.meta.main) await main(process.argv.slice(2))
