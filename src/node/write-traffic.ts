/** Generated traffic as files: one Zeek conn.log a site, reported in the terms of a split capture. */

import { fail } from '../base/errors.ts'
import { zeekTsvParser } from '../telemetry/formats/zeek-tsv.ts'
import { generateTraffic, type SiteTraffic, type TrafficOptions } from '../telemetry/generator.ts'
import { isFlood } from '../telemetry/labels.ts'
import { type LineFile, withLineFiles } from './split/line-files.ts'
import type { SiteFile, SplitReport } from './split.ts'

export interface WriteTrafficOptions extends TrafficOptions {
  /** Where the logs go, as `<site>.conn.log`; made if missing. */
  readonly directory: string
  readonly onProgress?: (site: string, done: number) => void
}

/** The same options write the same bytes. @throws invalid-request for sizes out of range; storage-full */
export async function writeTraffic(options: WriteTrafficOptions): Promise<SplitReport> {
  const traffic = generateTraffic(options)
  const names = traffic.map(({ name }) => `${name}.conn.log`)
  return withLineFiles(options.directory, names, async (files) => {
    const sites: SiteFile[] = []
    for (const [i, site] of traffic.entries()) {
      const file = files[i] ?? fail('internal', `there is no file for the site ${site.name}`)
      sites.push(writeSite(site, file))
      options.onProgress?.(site.name, (i + 1) / traffic.length)
      await new Promise(setImmediate)
    }
    return { format: 'zeek-tsv', sites, trainUntil: traffic[0]?.trainUntil ?? 0, unassigned: 0, refusedLines: 0 }
  })
}

/** Counts by reading the lines back: the report says what a reader of the file will find. */
function writeSite({ name, localNetworks, lines }: SiteTraffic, file: LineFile): SiteFile {
  const parser = zeekTsvParser()
  const counts = { interactions: 0, positives: 0, stealthyPositives: 0, unlabelled: 0 }
  for (const line of lines()) {
    file.add(line)
    const parsed = parser.parse(line)
    if (!('ok' in parsed) || !parsed.ok) continue
    const { label, technique } = parsed.interaction
    counts.interactions++
    if (label === undefined) counts.unlabelled++
    if (label !== 'attack') continue
    counts.positives++
    if (!isFlood(technique ?? '')) counts.stealthyPositives++
  }
  return { name, path: file.path, localNetworks, ...counts }
}
