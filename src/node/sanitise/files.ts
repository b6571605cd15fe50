/** Log files in, sanitised lines out, one batch of lines at a time: memory does not grow with the file. */

import { EntenteError, fail } from '../../base/errors.ts'
import type { SanitiseKeys } from '../../privacy/sanitise/keys.ts'
import type { LineSanitiser } from '../../privacy/sanitise/lines/line.ts'
import type { SanitiseReport } from '../../privacy/sanitise/report.ts'
import { createSanitiser, type SanitiseFormat, type Sanitiser } from '../../privacy/sanitise/sanitiser.ts'
import { arrayRecords } from '../../telemetry/formats/json-array.ts'
import { LINE_LENGTH_MAX, readLines } from '../ingest/lines.ts'
import { findLogs, type LogFile } from '../ingest/paths.ts'
import { detectFile } from '../ingest/source.ts'
import { ADDRESSES } from './addresses.ts'

export interface SanitiseOptions {
  readonly paths: readonly string[]
  readonly keys: SanitiseKeys
  /** Of every file; `auto` detects it, and takes what shows none as plain text. */
  readonly format: SanitiseFormat | 'auto'
  /** Takes sanitised lines, each with its line end. */
  readonly write: (lines: string) => Promise<void>
}

export interface SanitisedFiles {
  readonly report: SanitiseReport
  /** Of each file in turn, by its number: names of files may tell. */
  readonly formats: readonly SanitiseFormat[]
}

/** @throws input-invalid if a file cannot be read; invalid-request if one output would mix formats */
export async function sanitiseFiles({ paths, keys, format, write }: SanitiseOptions): Promise<SanitisedFiles> {
  const logs = await findLogs(paths)
  if (logs.length === 0) fail('input-invalid', 'there is no file to read')
  const formats: SanitiseFormat[] = []
  for (const log of logs) formats.push(format === 'auto' ? await formatOf(log) : format)
  if (new Set(formats).size > 1)
    fail(
      'invalid-request',
      `the files have several formats (${[...new Set(formats)].join(', ')}): sanitise each by itself`,
    )
  const sanitiser = createSanitiser(keys, ADDRESSES)
  for (const [i, log] of logs.entries()) await sanitiseFile(log, formats[i] ?? 'text', sanitiser, write)
  return { report: sanitiser.report(), formats }
}

async function formatOf({ path, entry }: LogFile): Promise<SanitiseFormat> {
  try {
    return await detectFile(path, entry)
  } catch (error) {
    // What cannot be read at all fails again when it is read.
    if (error instanceof EntenteError && error.code === 'input-invalid') return 'text'
    throw error
  }
}

async function sanitiseFile(
  { path, entry }: LogFile,
  format: SanitiseFormat,
  sanitiser: Sanitiser,
  write: (lines: string) => Promise<void>,
): Promise<void> {
  const records = format === 'text' ? undefined : arrayRecords()
  const sanitise = sanitiser.begin(format)
  for await (const { lines } of readLines(path, entry)) {
    let out = ''
    for (const line of lines)
      if (line.length > LINE_LENGTH_MAX) sanitiser.tooLong()
      else for (const record of records?.push(line) ?? [line]) out += ended(sanitise(record))
    if (out !== '') await write(out)
  }
  const rest = records?.finish()
  if (rest !== undefined) await write(ended(sanitise(rest)))
}

const ended = (line: string | undefined): string => (line === undefined ? '' : `${line}\n`)

/** The same over lines in memory: what the control interface offers. */
export function sanitiseLines(
  lines: readonly string[],
  format: SanitiseFormat,
  keys: SanitiseKeys,
): { readonly lines: readonly (string | null)[]; readonly report: SanitiseReport } {
  const sanitiser = createSanitiser(keys, ADDRESSES)
  const sanitise: LineSanitiser = sanitiser.begin(format)
  const out = lines.map((line) => sanitise(line) ?? null)
  return { lines: out, report: sanitiser.report() }
}
