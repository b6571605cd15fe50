/** One log file as a stream of interactions, with an account of every line. */

import { basename } from 'node:path'
import { fail } from '../../base/errors.ts'
import type { DatasetSource } from '../../telemetry/dataset.ts'
import { createParser, detectFormat } from '../../telemetry/formats/detect.ts'
import type { Interaction, LineParser, LogFormat } from '../../telemetry/interaction.ts'
import { LINE_LENGTH_MAX, readLines } from './lines.ts'
import type { Quarantine } from './quarantine.ts'

/** A file that shows no format in so many lines has none that is known here. */
const DETECTION_LINES = 1000

type Account = { -readonly [K in keyof DatasetSource]: DatasetSource[K] }

export function emptyAccount(path: string, format: LogFormat): Account {
  return { name: basename(path), format, lines: 0, interactions: 0, skipped: {}, refused: {}, truncated: false }
}

function count(counts: Record<string, number>, key: string): void {
  counts[key] = (counts[key] ?? 0) + 1
}

class SourceReader {
  readonly account: Account
  private readonly parser: LineParser
  private readonly quarantine: Quarantine

  constructor(path: string, format: LogFormat, quarantine: Quarantine) {
    this.account = emptyAccount(path, format)
    this.parser = createParser(format)
    this.quarantine = quarantine
  }

  read(text: string, unterminated: boolean, take: (interaction: Interaction, line: number) => void): void {
    const { account } = this
    account.lines++
    const parsed =
      text.length > LINE_LENGTH_MAX ? ({ ok: false, reason: 'line-too-long' } as const) : this.parser.parse(text)
    if ('skip' in parsed) count(account.skipped, parsed.kind)
    else if (parsed.ok) {
      account.interactions++
      take(parsed.interaction, account.lines)
    } else {
      count(account.refused, parsed.reason)
      if (unterminated) account.truncated = true
      this.quarantine.add(account.name, account.lines, parsed.reason, text)
    }
  }

  finish(take: (interaction: Interaction, line: number) => void): void {
    for (const interaction of this.parser.finish()) {
      this.account.interactions++
      take(interaction, this.account.lines)
    }
  }
}

/** The format of a file. @throws input-invalid if its first lines show none. */
export async function detectFile(path: string): Promise<LogFormat> {
  let seen = 0
  for await (const { lines } of readLines(path)) {
    const format = detectFormat(lines)
    if (format !== undefined) return format
    seen += lines.length
    if (seen >= DETECTION_LINES) break
  }
  fail('input-invalid', `${basename(path)} is not a Zeek, Suricata EVE or DARPA log`, { file: basename(path) })
}

/**
 * Reads a file from end to end; `take` gets each interaction with its 1-based line, `pause` is awaited between batches so
 * that the consumer can write what it has gathered.
 * @throws input-invalid if the file cannot be read or its format is not known
 */
export async function readSource(
  path: string,
  format: LogFormat | 'auto',
  quarantine: Quarantine,
  take: (interaction: Interaction, line: number) => void,
  pause: () => Promise<void>,
): Promise<DatasetSource> {
  const reader = new SourceReader(path, format === 'auto' ? await detectFile(path) : format, quarantine)
  for await (const { lines, unterminated } of readLines(path)) {
    for (const line of lines) reader.read(line, unterminated, take)
    await pause()
  }
  reader.finish(take)
  await pause()
  return reader.account
}
