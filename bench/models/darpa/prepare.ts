/** The organisations' data sets of one seed, made once in a cache by the product's own split and ingestion. */

import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ingest } from '../../../src/node/ingest.ts'
import { splitCapture } from '../../../src/node/split.ts'
import { DARPA_EPOCH, TICK_SECONDS } from '../../../src/telemetry/formats/darpa-csv.ts'
import { DARPA_SITES } from '../../../src/telemetry/sites.ts'

/** Training, validation and test by ticks, as in the notes on the data. */
export const TRAIN_SHARE = 0.6
export const EARLY_SHARE = 0.3
export const TEST_SHARE = 0.7

/** Seconds since the epoch of the first tick of the rest, once `share` of the ticks are over. */
export function timeAt(share: number, ticks: number): number {
  return DARPA_EPOCH + Math.floor(ticks * share) * TICK_SECONDS
}

export interface PreparedSite {
  /** A to F in the notes on the data. */
  readonly id: string
  readonly directory: string
}

export interface Prepared {
  readonly sites: readonly PreparedSite[]
  /** Distinct minutes of the whole capture. */
  readonly ticks: number
}

export interface PrepareOptions {
  readonly capture: string
  readonly seed: string
  /** Adds lifetime totals, degrees, ages and the hour. */
  readonly identity: boolean
  readonly cache: string
}

/** Data sets of `<cache>/darpa-<seed>`, made if they are not there; runs at the same time do not disturb one another. */
export async function prepareSites(options: PrepareOptions): Promise<Prepared> {
  const directory = join(options.cache, `darpa-${options.seed}${options.identity ? '-identity' : ''}`)
  if (!existsSync(directory)) {
    const underWay = mkdtempSync(`${directory}-`)
    await makeSites(options, underWay)
    try {
      renameSync(underWay, directory)
    } catch {
      // Another run was faster: its data sets are the same.
      rmSync(underWay, { recursive: true })
    }
  }
  const { ticks } = JSON.parse(readFileSync(join(directory, TICKS_FILE), 'utf8')) as { ticks: number }
  return { ticks, sites: DARPA_SITES.map(({ name }) => ({ id: name, directory: join(directory, name) })) }
}

const TICKS_FILE = 'ticks.json'

async function makeSites({ capture, seed, identity }: PrepareOptions, directory: string): Promise<void> {
  const logs = join(directory, 'logs')
  const format = 'darpa-csv'
  const split = await splitCapture({ path: capture, format, sites: DARPA_SITES.length, directory: logs, seed })
  let timeLast = DARPA_EPOCH
  for (const { name, path, localNetworks } of split.sites) {
    const target = join(directory, name)
    const quarantineDirectory = join(directory, `${name}-quarantine`)
    const { info } = await ingest({
      paths: [path],
      format,
      localNetworks,
      directory: target,
      quarantineDirectory,
      identity,
    })
    timeLast = Math.max(timeLast, info.timeLast ?? 0)
  }
  rmSync(logs, { recursive: true })
  const ticks = (timeLast - DARPA_EPOCH) / TICK_SECONDS + 1
  writeFileSync(join(directory, TICKS_FILE), JSON.stringify({ ticks }))
}
