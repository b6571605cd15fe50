/** One log per organisation: generated, or one real capture split by network. */

import { fail } from '../../../src/base/errors.ts'
import { hasBothClasses, splitCapture, type SplitReport } from '../../../src/node/split.ts'
import { writeTraffic } from '../../../src/node/write-traffic.ts'
import type { DemoOptions } from './options.ts'
import type { Say } from './progress.ts'

export interface PreparedData extends SplitReport {
  /** What the traffic is, for the report. */
  readonly source: string
  /** Set where the labels are not those of the capture. */
  readonly labelsNote?: string
}

export async function prepareData(options: DemoOptions, directory: string, say: Say): Promise<PreparedData> {
  if (options.data === undefined) return generated(options, directory, say)
  const split = await splitCapture({
    path: options.data,
    format: 'auto',
    sites: options.orgs,
    directory,
    seed: String(options.seed),
    onProgress: (rows) => say(`${rows.toLocaleString('en')} rows`),
  })
  if (hasBothClasses(split)) return { ...split, source: options.data }
  fail('no-data', `${options.data} has no labels of both classes, attack and benign: nothing to learn from`)
}

async function generated({ orgs, seed }: DemoOptions, directory: string, say: Say): Promise<PreparedData> {
  const written = await writeTraffic({ directory, sites: orgs, seed: String(seed), onProgress: say })
  return { ...written, source: `generated traffic, seed ${seed}` }
}
