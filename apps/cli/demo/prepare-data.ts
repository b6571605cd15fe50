/** One log per organisation: generated, or one real capture split by network. */

import { basename, join } from 'node:path'
import { hasBothClasses, splitCapture, type SplitReport } from '../../../src/node/split.ts'
import { overlaySplit } from '../../../src/node/split/overlay.ts'
import { writeTraffic } from '../../../src/node/write-traffic.ts'
import type { DemoOptions } from './options.ts'
import type { Say } from './progress.ts'

export interface PreparedData extends SplitReport {
  /** What the traffic is, for the report. */
  readonly source: string
  /** `synthetic-campaigns`: the capture had no usable labels, so labelled campaigns were laid over it. */
  readonly labelSource: 'generator' | 'capture' | 'synthetic-campaigns'
}

/**
 * A capture without labels of both classes gets the generator's labelled campaigns laid over it, and the report says so.
 * @throws input-invalid, invalid-request, storage-full
 */
export async function prepareData(options: DemoOptions, directory: string, say: Say): Promise<PreparedData> {
  if (options.data === undefined) return generated(options, directory, say)
  const seed = String(options.seed)
  const split = await splitCapture({
    path: options.data,
    format: 'auto',
    sites: options.orgs,
    directory,
    seed,
    onProgress: (rows) => say(`${rows.toLocaleString('en')} rows`),
  })
  const source = basename(options.data)
  if (hasBothClasses(split)) return { ...split, source, labelSource: 'capture' }
  say('no labels of both classes: laying synthetic campaigns over the capture')
  const overlaid = await overlaySplit(split, { directory: join(directory, 'overlaid'), seed })
  return { ...overlaid, source, labelSource: overlaid.labels }
}

async function generated({ orgs, seed }: DemoOptions, directory: string, say: Say): Promise<PreparedData> {
  const written = await writeTraffic({ directory, sites: orgs, seed: String(seed), onProgress: say })
  return { ...written, source: `generated traffic, seed ${seed}`, labelSource: 'generator' }
}
