/** One log file as a stream of interactions, with an account of every line. */

import { basename } from 'node:path'
import { fail } from '../../base/errors.ts'
import type { DatasetSource } from '../../telemetry/dataset.ts'
import { createParser, detectFormat } from '../../telemetry/formats/detect.ts'
import { arrayRecords } from '../../telemetry/formats/json-array.ts'
import type { Interaction, LineParser, LogFormat, Selection } from '../../telemetry/interaction.ts'
import { LINE_LENGTH_MAX, readLines } from './lines.ts'
import type { LogFile } from './paths.ts'
import type { Quarantine } from './quarantine.ts'

/** A file that shows no format in so many lines has none that is known here. */
const DETECTION_LINES = 1000
/** Logs name their own kinds: beyond so many, new ones are counted together. */
const KINDS_MAX = 256
const HEADERS_MAX = 32
const HEADER_LENGTH_MAX = 8192

type Account = { -readonly [K in keyof DatasetSource]: DatasetSource[K] }
/** Gets an interaction with its 1-based line and the name of its log. */
export type Take = (interaction: Interaction, line: number, log: string) => void

/** What became of a log's lines. */
export interface SourceReport {
  readonly source: DatasetSource
  /** Interactions by kind. */
  readonly kinds: Readonly<Record<string, number>>
}

export function emptyAccount(name: string, format: LogFormat): Account {
  return { name, format, lines: 0, interactions: 0, skipped: {}, refused: {}, truncated: false }
}

function count(counts: Record<string, number>, key: string): void {
  if (Object.hasOwn(counts, key)) counts[key] = (counts[key] as number) + 1
  else if (key === '__proto__' || Object.keys(counts).length >= KINDS_MAX) counts['other'] = (counts['other'] ?? 0) + 1
  else counts[key] = 1
}

/** Feeds lines to a parser and counts what comes of them. */
export class SourceReader {
  readonly account: Account
  readonly kinds: Record<string, number> = {}
  private readonly parser: LineParser
  private readonly records = arrayRecords()
  private readonly headers = new Map<string, string>()
  private readonly quarantine: Quarantine

  constructor(name: string, format: LogFormat, quarantine: Quarantine, selection: Selection = 'contacts') {
    this.account = emptyAccount(name, format)
    this.parser = createParser(format, selection)
    this.quarantine = quarantine
  }

  read(text: string, unterminated: boolean, take: Take): void {
    this.account.lines++
    if (text.length > LINE_LENGTH_MAX) return this.refuse('line-too-long', text, unterminated)
    for (const record of this.records.push(text)) this.parse(record, unterminated, take)
  }

  private parse(record: string, unterminated: boolean, take: Take): void {
    const parsed = this.parser.parse(record)
    if ('skip' in parsed) {
      count(this.account.skipped, parsed.kind)
      if (parsed.kind === 'comment') this.remember(record)
    } else if (parsed.ok) this.accept(parsed.interaction, take)
    else this.refuse(parsed.reason, record, unterminated)
  }

  /** Of each kind of header line the last: Zeek's begin with a word of their own. */
  private remember(line: string): void {
    const name = /^#\w{1,32}/.exec(line)?.[0] ?? 'header'
    this.headers.delete(name)
    if (line.length <= HEADER_LENGTH_MAX && this.headers.size < HEADERS_MAX) this.headers.set(name, line)
  }

  /** Header lines that a parser needs to go on in the middle of this log, in order. */
  get preamble(): readonly string[] {
    return [...this.headers.values()]
  }

  /** Goes on after a restart: these header lines were counted when they were read. */
  prime(preamble: readonly string[]): void {
    for (const line of preamble) {
      this.parser.parse(line)
      this.remember(line)
    }
  }

  private accept(interaction: Interaction, take: Take): void {
    this.account.interactions++
    this.kinds[interaction.kind] = (this.kinds[interaction.kind] ?? 0) + 1
    take(interaction, this.account.lines, this.account.name)
  }

  private refuse(reason: string, text: string, unterminated: boolean): void {
    const { account } = this
    count(account.refused, reason)
    if (unterminated) account.truncated = true
    this.quarantine.add(account.name, account.lines, reason, text)
  }

  get report(): SourceReport {
    return { source: this.account, kinds: this.kinds }
  }

  finish(take: Take): void {
    const rest = this.records.finish()
    if (rest !== undefined) this.refuse('json', rest, true)
    for (const interaction of this.parser.finish()) this.accept(interaction, take)
  }
}

/** The format of a file, or of an entry of a zip. @throws input-invalid if its first lines show none. */
export async function detectFile(path: string, entry?: string): Promise<LogFormat> {
  const head: string[] = []
  for await (const { lines } of readLines(path, entry)) {
    for (const line of lines.slice(0, DETECTION_LINES - head.length)) head.push(line)
    const format = detectFormat(head)
    if (format !== undefined) return format
    if (head.length >= DETECTION_LINES) break
  }
  const name = entry ?? basename(path)
  fail('input-invalid', `${name} is in no format that is known: Zeek, Suricata EVE, Windows events, NetFlow or DARPA`, {
    file: name,
  })
}

export interface ReadOptions {
  readonly format: LogFormat | 'auto'
  readonly selection: Selection
  readonly quarantine: Quarantine
}

/** A reader for one log. @throws input-invalid if the file cannot be read or its format is not known */
export async function openSource({ path, entry, name }: LogFile, options: ReadOptions): Promise<SourceReader> {
  const format = options.format === 'auto' ? await detectFile(path, entry) : options.format
  return new SourceReader(name, format, options.quarantine, options.selection)
}

/**
 * Reads a log from end to end; `take` gets each interaction with its 1-based line, `pause` is awaited between batches so
 * that the consumer can write what it has gathered.
 * @throws input-invalid if the file cannot be read, or is damaged from some point on
 */
export async function readSource(
  { path, entry }: LogFile,
  reader: SourceReader,
  take: Take,
  pause: () => Promise<void>,
): Promise<void> {
  for await (const { lines, unterminated } of readLines(path, entry)) {
    for (const line of lines) reader.read(line, unterminated, take)
    await pause()
  }
  reader.finish(take)
  await pause()
}
