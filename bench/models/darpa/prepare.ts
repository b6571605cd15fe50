/** The organisations' data sets of one seed, made once in a cache by the product's own split and ingestion. */

import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
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

/** Data sets of `<cache>/darpa-<seed>`, made if they are not there. */
export async function prepareSites({ capture, seed, identity, cache }: PrepareOptions): Promise<Prepared> {
  const directory = join(cache, `darpa-${seed}${identity ? '-identity' : ''}`)
  const done = join(directory, 'sites.json')
  if (existsSync(done)) return JSON.parse(readFileSync(done, 'utf8')) as Prepared
  const logs = join(directory, 'logs')
  const split = await splitCapture({
    path: capture,
    format: 'darpa-csv',
    sites: DARPA_SITES.length,
    directory: logs,
    seed,
  })
  const sites: PreparedSite[] = []
  let timeLast = DARPA_EPOCH
  for (const { name, path, localNetworks } of split.sites) {
    const target = join(directory, name)
    const quarantineDirectory = join(directory, `${name}-quarantine`)
    const { info } = await ingest({
      paths: [path],
      format: 'darpa-csv',
      localNetworks,
      directory: target,
      quarantineDirectory,
      identity,
    })
    timeLast = Math.max(timeLast, info.timeLast ?? 0)
    sites.push({ id: name, directory: target })
  }
  rmSync(logs, { recursive: true })
  const prepared = { sites, ticks: (timeLast - DARPA_EPOCH) / TICK_SECONDS + 1 }
  writeFileSync(done, JSON.stringify(prepared))
  return prepared
}
