/** Rewrites the site files of a split capture as labelled Zeek logs: the capture's interactions, with campaigns among them. */

import { basename } from 'node:path'
import { createParser } from '../../telemetry/formats/detect.ts'
import { ZEEK_HEADER, zeekLineWriter } from '../../telemetry/generator/zeek-log.ts'
import type { Interaction, LogFormat } from '../../telemetry/interaction.ts'
import { isFlood } from '../../telemetry/labels.ts'
import { localMatcher } from '../../telemetry/networks.ts'
import { type CaptureSite, OVERLAY_LABELS, overlayCampaigns, type OverlayOptions } from '../../telemetry/overlay.ts'
import { readLines } from '../ingest/lines.ts'
import type { SiteFile, SplitReport } from '../split.ts'
import { type LineFile, withLineFiles } from './line-files.ts'

export interface OverlayReport extends SplitReport {
  /** Must be shown beside every figure. */
  readonly labels: typeof OVERLAY_LABELS
}

const ADDRESSES_MAX = 1 << 16

async function eachInteraction(
  path: string,
  format: LogFormat,
  take: (interaction: Interaction) => void,
): Promise<void> {
  const parser = createParser(format)
  for await (const { lines } of readLines(path)) {
    for (const line of lines) {
      const parsed = parser.parse(line)
      if ('ok' in parsed && parsed.ok) take(parsed.interaction)
    }
  }
  for (const interaction of parser.finish()) take(interaction)
}

interface Survey extends CaptureSite {
  readonly from: number
  readonly until: number
}

async function survey(site: SiteFile, index: number, format: LogFormat): Promise<Survey> {
  const isLocal = localMatcher(site.localNetworks)
  const counts = new Map<string, number>()
  let [from, until, interactions] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0]
  await eachInteraction(site.path, format, ({ source, destination, time }) => {
    for (const address of [source, destination]) {
      const before = counts.get(address)
      if (before !== undefined || counts.size < ADDRESSES_MAX) counts.set(address, (before ?? 0) + 1)
    }
    interactions++
    from = Math.min(from, time)
    until = Math.max(until, time)
  })
  const ranked = [...counts].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)).map(([address]) => address)
  const { name, localNetworks } = site
  const local = ranked.filter(isLocal)
  return {
    index,
    name,
    localNetworks,
    local,
    external: ranked.filter((address) => !isLocal(address)),
    interactions,
    from,
    until,
  }
}

/** The background's attacks keep their label; everything else of it is taken for benign. */
function background(interaction: Interaction): Interaction {
  return interaction.label === 'attack' ? interaction : { ...interaction, label: 'benign' }
}

async function rewrite(
  site: SiteFile,
  surveyed: Survey,
  format: LogFormat,
  options: OverlayOptions,
  file: LineFile,
): Promise<SiteFile> {
  const write = zeekLineWriter(`${options.seed}/overlay/${surveyed.index}`, localMatcher(site.localNetworks))
  const campaigns = overlayCampaigns(surveyed, options)
  const counts = { interactions: 0, positives: 0, stealthyPositives: 0, unlabelled: 0 }
  let next = 0
  const put = (interaction: Interaction): void => {
    counts.interactions++
    if (interaction.label === 'attack') counts.positives++
    if (interaction.label === 'attack' && !isFlood(interaction.technique ?? '')) counts.stealthyPositives++
    file.add(write(interaction))
  }
  const putUntil = (time: number): void => {
    for (; next < campaigns.length && (campaigns[next] as Interaction).time <= time; next++)
      put(campaigns[next] as Interaction)
  }
  for (const line of ZEEK_HEADER) file.add(line)
  await eachInteraction(site.path, format, (interaction) => {
    putUntil(interaction.time)
    put(background(interaction))
  })
  putUntil(Number.POSITIVE_INFINITY)
  return { ...site, ...counts, path: file.path }
}

/**
 * Lays labelled campaigns over every site of a split capture and writes the result to `directory`, which must not be that
 * of the split. For captures without labels, or with one class only.
 * @throws storage-full
 */
export async function overlaySplit(
  report: SplitReport,
  options: { readonly directory: string; readonly seed: string },
): Promise<OverlayReport> {
  const surveys: Survey[] = []
  for (const [index, site] of report.sites.entries()) surveys.push(await survey(site, index, report.format))
  const period = {
    seed: options.seed,
    from: Math.min(...surveys.map((site) => site.from)),
    trainUntil: report.trainUntil,
    until: Math.max(...surveys.map((site) => site.until)),
  }
  const names = report.sites.map((site) => `${basename(site.path).split('.')[0]}.conn.log`)
  const sites = await withLineFiles(options.directory, names, async (files) => {
    const written: SiteFile[] = []
    for (const [i, site] of report.sites.entries()) {
      written.push(await rewrite(site, surveys[i] as Survey, report.format, period, files[i] as LineFile))
    }
    return written
  })
  return { ...report, format: 'zeek-tsv', sites, labels: OVERLAY_LABELS }
}
