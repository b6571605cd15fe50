/**
 * DARPA-98 into its organisations. Within a minute the capture is sorted by source and destination, which flatters every
 * counter: the rows of a minute are shuffled, per site, by the seed. Each site's file names the tick before its rows, so
 * that all sites keep one clock although not every minute has traffic everywhere.
 */

import { join } from 'node:path'
import { prng, shuffle } from '../../base/prng.ts'
import { darpaCsvParser, DARPA_EPOCH, TICK_SECONDS, tickClock, tickLine } from '../../telemetry/formats/darpa-csv.ts'
import { isFlood } from '../../telemetry/labels.ts'
import { darpaSiteOf, darpaSites } from '../../telemetry/sites.ts'
import { readLines } from '../ingest/lines.ts'
import { type SiteFile, type SplitOptions, type SplitReport, TRAIN_SHARE } from '../split.ts'
import { type LineFile, withLineFiles } from './line-files.ts'

interface Tally {
  interactions: number
  positives: number
  stealthyPositives: number
}

/** The rows of one minute, by site, until the minute is over. */
class Minute {
  private readonly rows: string[][]
  private readonly files: readonly LineFile[]
  private readonly seed: string
  tick = -1

  constructor(files: readonly LineFile[], seed: string) {
    this.files = files
    this.seed = seed
    this.rows = files.map(() => [])
  }

  add(site: number, line: string): void {
    ;(this.rows[site] as string[]).push(line)
  }

  end(): void {
    for (const [site, rows] of this.rows.entries()) {
      if (rows.length === 0) continue
      const file = this.files[site] as LineFile
      file.add(tickLine(this.tick))
      for (const line of shuffle(rows, prng(`darpa/${this.seed}/${site}/${this.tick}`))) file.add(line)
      rows.length = 0
    }
  }
}

export async function splitDarpa(options: SplitOptions): Promise<SplitReport> {
  const sites = darpaSites(options.sites)
  const clock = tickClock()
  const tallies: Tally[] = sites.map(() => ({ interactions: 0, positives: 0, stealthyPositives: 0 }))
  const names = sites.map((site) => `${site.name}.csv`)
  const counts = await withLineFiles(options.directory, names, (files) => distribute(options, files, clock, tallies))
  const cutTick = Math.floor(clock.ticks * TRAIN_SHARE)
  return {
    format: 'darpa-csv',
    sites: sites.map(
      (site, i): SiteFile => ({
        ...site,
        path: join(options.directory, names[i] as string),
        ...(tallies[i] as Tally),
        unlabelled: 0,
      }),
    ),
    trainUntil: DARPA_EPOCH + cutTick * TICK_SECONDS,
    ...counts,
  }
}

async function distribute(
  options: SplitOptions,
  files: readonly LineFile[],
  clock: ReturnType<typeof tickClock>,
  tallies: Tally[],
): Promise<{ unassigned: number; refusedLines: number }> {
  const parser = darpaCsvParser(clock)
  const minute = new Minute(files, options.seed)
  let unassigned = 0
  let refusedLines = 0
  for await (const { lines } of readLines(options.path)) {
    for (const line of lines) {
      const parsed = parser.parse(line)
      if ('skip' in parsed) continue
      if (!parsed.ok) {
        refusedLines++
        continue
      }
      const tick = (parsed.interaction.time - DARPA_EPOCH) / TICK_SECONDS
      if (tick !== minute.tick) {
        minute.end()
        minute.tick = tick
      }
      const site = siteOfLine(line, files.length)
      if (site < 0) unassigned++
      else {
        minute.add(site, line)
        tally(tallies[site] as Tally, parsed.interaction.technique)
      }
    }
    options.onProgress?.(tallies.reduce((sum, { interactions }) => sum + interactions, unassigned))
  }
  minute.end()
  return { unassigned, refusedLines }
}

function tally(counts: Tally, technique: string | undefined): void {
  counts.interactions++
  if (technique === undefined) return
  counts.positives++
  if (!isFlood(technique)) counts.stealthyPositives++
}

/** Destination's organisation, else the source's; -1 if that is none of the first `count`. */
function siteOfLine(line: string, count: number): number {
  const comma = line.indexOf(',')
  const destination = darpaSiteOf(line.slice(comma + 1, comma + 13))
  const site = destination >= 0 ? destination : darpaSiteOf(line.slice(0, 12))
  return site < count ? site : -1
}
