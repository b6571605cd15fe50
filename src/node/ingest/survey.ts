/** Every log of some paths in turn, with an account of each, and of the files that are no logs. */

import { EntenteError, fail } from '../../base/errors.ts'
import { findLogs, type LogFile } from './paths.ts'
import { openSource, type ReadOptions, readSource, type SourceReport, type Take } from './source.ts'

export interface RefusedFile {
  readonly name: string
  readonly reason: string
}

export interface LogsReport {
  readonly sources: readonly SourceReport[]
  /** Files below a directory, or in a zip, that are no logs, or that are damaged from some point on. */
  readonly refusedFiles: readonly RefusedFile[]
}

/**
 * @throws input-invalid if a file that was named cannot be read or shows no known format, or if no file does
 */
export async function readLogs(
  paths: readonly string[],
  options: ReadOptions,
  take: Take,
  pause: () => Promise<void>,
): Promise<LogsReport> {
  const sources: SourceReport[] = []
  const refusedFiles: RefusedFile[] = []
  const logs = await findLogs(paths)
  for (const log of logs) {
    try {
      const reader = await openSource(log, options)
      sources.push(reader.report)
      await readSource(log, reader, take, pause)
    } catch (cause) {
      refusedFiles.push(refusedFile(log, cause))
    }
  }
  // With `format` given, a damaged file has an account without a line.
  if (sources.some(({ source }) => source.lines > 0)) return { sources, refusedFiles }
  if (sources.length > 0 && refusedFiles.length === 0) return { sources, refusedFiles }
  const reason = refusedFiles[0]?.reason
  fail(
    'input-invalid',
    logs.length === 0 ? 'there is no file to read' : `none of ${logs.length} files is a log: ${reason}`,
  )
}

/** A file beside the logs stops nothing; one that was named does. */
function refusedFile(log: LogFile, cause: unknown): RefusedFile {
  if (log.named || !(cause instanceof EntenteError) || cause.code !== 'input-invalid') throw cause
  return { name: log.name, reason: cause.message }
}
