/** From log files to a data set directory: parse, extract features, write; a line that does not parse stops nothing. */

import { join } from 'node:path'
import { fail } from '../base/errors.ts'
import type { DatasetInfo, DatasetSource } from '../telemetry/dataset.ts'
import type { Interaction, LogFormat, Selection } from '../telemetry/interaction.ts'
import { createQuarantine } from './ingest/quarantine.ts'
import type { SourceReport } from './ingest/source.ts'
import { readLogs, type RefusedFile } from './ingest/survey.ts'
import { DatasetWriter } from './ingest/writer.ts'

export interface IngestOptions {
  /** Log files, read in this order: plain, gzip, zstd or zip; of a directory all files below it, sorted. */
  readonly paths: readonly string[]
  readonly format: LogFormat | 'auto'
  /** CIDR; none = the private ranges. */
  readonly localNetworks: readonly string[]
  /** The data set directory to write; an older one there is replaced when the new one is whole. */
  readonly directory: string
  /** Where the sample of refused lines goes, as `refused.jsonl`. */
  readonly quarantineDirectory: string
  /** Adds the identity features; a federation must agree on it. */
  readonly identity?: boolean
  /** Default `contacts`: each connection once. Rows of other kinds lack ports and bytes where their log does. */
  readonly selection?: Selection
  /** Told the rows so far, after every batch. */
  readonly onProgress?: (rows: number) => void
}

export interface IngestReport {
  readonly info: DatasetInfo
  readonly refusedLines: number
  readonly quarantinedLines: number
  /** Per log, with interactions by kind. */
  readonly sources: readonly SourceReport[]
  /** Files below a directory, or in a zip, that are no logs. */
  readonly refusedFiles: readonly RefusedFile[]
}

/**
 * @throws input-invalid if a file cannot be read or shows no known format; config-invalid for a malformed network;
 * storage-full, with the older data set intact.
 */
export async function ingest(options: IngestOptions): Promise<IngestReport> {
  if (options.paths.length === 0) fail('config-invalid', 'no log file to ingest is named')
  const writer = await DatasetWriter.create(options.directory, options)
  const quarantine = createQuarantine()
  try {
    let rows = 0
    const take = (interaction: Interaction, line: number): void => {
      writer.add(interaction, line)
      rows++
    }
    const pause = async (): Promise<void> => {
      await writer.flush()
      options.onProgress?.(rows)
    }
    const { format, selection = 'contacts' } = options
    const read = await readLogs(options.paths, { format, selection, quarantine }, take, pause)
    const sources = read.sources.map(({ source }) => source)
    const info = await writer.finish(sources)
    const quarantinedLines = quarantine.write(join(options.quarantineDirectory, 'refused.jsonl'))
    return { info, refusedLines: refusedLines(sources), quarantinedLines, ...read }
  } catch (cause) {
    await writer.abort()
    throw cause
  }
}

export function refusedLines(sources: readonly DatasetSource[]): number {
  return sources.flatMap((source) => Object.values(source.refused)).reduce((sum, count) => sum + count, 0)
}
