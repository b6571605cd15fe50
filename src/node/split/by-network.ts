/** A Zeek or Suricata capture into sites by local network: one pass to count the ends, one to write. */

import { join } from 'node:path'
import { createParser } from '../../telemetry/formats/detect.ts'
import { eveEnds } from '../../telemetry/formats/suricata-eve.ts'
import type { Interaction, LogFormat, ParsedLine } from '../../telemetry/interaction.ts'
import { isFlood } from '../../telemetry/labels.ts'
import { endpointCounter, planSites, type SitePlan, siteMatcher } from '../../telemetry/sites.ts'
import { readLines } from '../ingest/lines.ts'
import { type SiteFile, type SplitOptions, type SplitReport, TRAIN_SHARE } from '../split.ts'
import { type LineFile, withLineFiles } from './line-files.ts'
import { timeSample } from './time-cut.ts'

interface Tally {
  interactions: number
  positives: number
  stealthyPositives: number
  unlabelled: number
}

interface Survey {
  readonly sites: readonly SitePlan[]
  readonly trainUntil: number
  readonly refusedLines: number
}

async function survey(options: SplitOptions, format: LogFormat): Promise<Survey> {
  const parser = createParser(format)
  const ends = endpointCounter()
  const times = timeSample()
  let refusedLines = 0
  const take = (interaction: Interaction): void => {
    ends.count(interaction.source, interaction.destination)
    times.add(interaction.time)
  }
  for await (const { lines } of readLines(options.path)) {
    for (const line of lines) {
      const parsed = parser.parse(line)
      if ('skip' in parsed) continue
      if (parsed.ok) take(parsed.interaction)
      else refusedLines++
    }
  }
  for (const interaction of parser.finish()) take(interaction)
  return { sites: planSites(ends.counts, options.sites), trainUntil: times.quantile(TRAIN_SHARE), refusedLines }
}

function tally(counts: Tally, { label, technique }: Interaction): void {
  counts.interactions++
  if (label === undefined) counts.unlabelled++
  if (label !== 'attack') return
  counts.positives++
  if (!isFlood(technique ?? '')) counts.stealthyPositives++
}

/**
 * Zeek headers go to every site. A Suricata alert goes where its flow goes, so that a site's file still labels its flows;
 * record kinds without interactions stay behind.
 */
async function distribute(
  options: SplitOptions,
  format: LogFormat,
  plan: Survey,
  files: readonly LineFile[],
  tallies: Tally[],
): Promise<number> {
  const parser = createParser(format)
  const siteOf = siteMatcher(plan.sites)
  let unassigned = 0
  let lineCount = 0
  const count = (interaction: Interaction): void => {
    const site = siteOf(interaction.source, interaction.destination)
    if (site >= 0) tally(tallies[site] as Tally, interaction)
  }
  const place = (line: string, parsed: ParsedLine): void => {
    const ends =
      format === 'suricata-eve' ? eveEnds(line) : 'ok' in parsed && parsed.ok ? parsed.interaction : undefined
    if (ends === undefined) return
    const site = siteOf(ends.source, ends.destination)
    if (site >= 0) (files[site] as LineFile).add(line)
    else unassigned++
  }
  for await (const { lines } of readLines(options.path)) {
    for (const line of lines) {
      const parsed = parser.parse(line)
      if ('skip' in parsed && parsed.kind === 'comment') for (const file of files) file.add(line)
      if ('ok' in parsed && parsed.ok) count(parsed.interaction)
      place(line, parsed)
    }
    lineCount += lines.length
    options.onProgress?.(lineCount)
  }
  for (const interaction of parser.finish()) count(interaction)
  return unassigned
}

const EXTENSIONS: Readonly<Record<LogFormat, string>> = {
  'zeek-tsv': 'conn.log',
  'zeek-json': 'conn.jsonl',
  'suricata-eve': 'eve.json',
  'windows-json': 'windows.jsonl',
  'netflow-csv': 'netflow.csv',
  'darpa-csv': 'csv',
  'interaction-json': 'interactions.jsonl',
}

export async function splitByNetwork(options: SplitOptions, format: LogFormat): Promise<SplitReport> {
  const plan = await survey(options, format)
  const tallies: Tally[] = plan.sites.map(() => ({
    interactions: 0,
    positives: 0,
    stealthyPositives: 0,
    unlabelled: 0,
  }))
  const names = plan.sites.map((site) => `${site.name}.${EXTENSIONS[format]}`)
  const unassigned = await withLineFiles(options.directory, names, (files) =>
    distribute(options, format, plan, files, tallies),
  )
  const sites = plan.sites.map(
    (site, i): SiteFile => ({ ...site, path: join(options.directory, names[i] as string), ...(tallies[i] as Tally) }),
  )
  return { format, sites, trainUntil: plan.trainUntil, unassigned, refusedLines: plan.refusedLines }
}
