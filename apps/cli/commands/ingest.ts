import { readdir } from 'node:fs/promises'
import { Command, Option } from 'commander'
import { EntenteError, fail } from '../../../src/base/errors.ts'
import { ingest, refusedLines } from '../../../src/node/ingest.ts'
import { followLog } from '../../../src/node/ingest/follow.ts'
import { createQuarantine } from '../../../src/node/ingest/quarantine.ts'
import type { SourceReport } from '../../../src/node/ingest/source.ts'
import { type RefusedFile, readLogs } from '../../../src/node/ingest/survey.ts'
import { DATASET_FILES } from '../../../src/telemetry/dataset.ts'
import { LOG_FORMATS, type LogFormat, type Selection } from '../../../src/telemetry/interaction.ts'
import { columns, print } from '../output.ts'
import { collect, jsonOption } from './options.ts'

interface IngestCommandOptions {
  readonly out?: string
  readonly dryRun?: boolean
  readonly follow?: boolean
  readonly kinds?: Selection
  readonly format: LogFormat | 'auto'
  readonly network: readonly string[]
  readonly json?: boolean
}

type Counts = Readonly<Record<string, number>>

/** What `--json` prints. */
export interface IngestSummary {
  /** Interactions that the logs hold; with `--out`, the rows of the data set. */
  readonly rows: number
  readonly kinds: Counts
  /** Lines that hold no interaction, by kind. */
  readonly skipped: Counts
  /** Lines that do not parse, by reason. */
  readonly refused: Counts
  readonly refusedLines: number
  /** Files in no format that is known, below a directory or in a zip. */
  readonly refusedFiles: readonly RefusedFile[]
  readonly sources: readonly (SourceReport['source'] & { readonly kinds: Counts })[]
  /** Times that a followed log was replaced or cut. */
  readonly rotations?: number
  readonly directory?: string
}

export function ingestCommand(): Command {
  return new Command('ingest')
    .description('read logs: count what they hold, write a data set from them, or follow one that grows')
    .argument('<path...>', 'Zeek, Suricata EVE, Windows event, NetFlow or DARPA logs; directories; gzip, zip or zstd')
    .option('--out <directory>', 'where the data set goes, or with --follow the interactions and how far they go')
    .option('--dry-run', 'write nothing, as without --out')
    .option('--follow', 'go on reading as the log grows, until interrupted; survives rotation and restart')
    .addOption(
      new Option(
        '--kinds <kinds>',
        'contacts: each connection once; all: every record of a known kind (default: contacts with --out, else all)',
      ).choices(['contacts', 'all']),
    )
    .addOption(new Option('--format <format>', 'of every file').choices(['auto', ...LOG_FORMATS]).default('auto'))
    .option('--network <cidr>', 'a network of the organisation; repeat or separate by commas', collect, [])
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nExamples:\n  $ entente ingest /var/log/zeek\n  $ entente ingest eve.json.gz --out set\n  $ entente ingest /var/log/suricata/eve.json --follow --out eve',
    )
    .action(async (paths: string[], options: IngestCommandOptions) => {
      const summary = await run(paths, options)
      print(summary, options, render)
      if (summary.rows === 0 && summary.refusedLines > 0 && summary.sources.every(wasNotUnderstood))
        throw new EntenteError('input-invalid', 'no line was understood: is --format right?')
    })
}

function run(paths: readonly string[], options: IngestCommandOptions): Promise<IngestSummary> {
  const out = options.dryRun === true ? undefined : options.out
  if (options.follow === true) return follow(paths, out, options)
  return out === undefined ? survey(paths, options) : write(paths, out, options)
}

const DATASET_NAMES: ReadonlySet<string> = new Set([...Object.values(DATASET_FILES), 'refused.jsonl'])

/** A data set replaces the one before as a whole: a directory that holds anything else must not be lost that way. */
async function assertReplaceable(directory: string): Promise<void> {
  const names = await readdir(directory).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return []
    fail('config-invalid', `--out ${directory} is not a directory that can be read`)
  })
  const other = names.find((name) => !DATASET_NAMES.has(name))
  if (other !== undefined)
    fail('already-exists', `${directory} holds ${other}, which is no part of a data set: name an empty or new --out`)
}

async function survey(
  paths: readonly string[],
  { format, kinds = 'all' }: IngestCommandOptions,
): Promise<IngestSummary> {
  const options = { format, selection: kinds, quarantine: createQuarantine() }
  const { sources, refusedFiles } = await readLogs(
    paths,
    options,
    () => undefined,
    async () => undefined,
  )
  return summaryOf(sources, refusedFiles)
}

async function write(paths: readonly string[], out: string, options: IngestCommandOptions): Promise<IngestSummary> {
  await assertReplaceable(out)
  const { sources, refusedFiles } = await ingest({
    paths,
    format: options.format,
    localNetworks: options.network,
    directory: out,
    quarantineDirectory: out,
    selection: options.kinds ?? 'contacts',
  })
  return { ...summaryOf(sources, refusedFiles), directory: out }
}

async function follow(
  paths: readonly string[],
  out: string | undefined,
  options: IngestCommandOptions,
): Promise<IngestSummary> {
  const [path] = paths
  if (path === undefined || paths.length > 1) fail('config-invalid', '--follow takes one file')
  const interrupted = new AbortController()
  const stop = (): void => interrupted.abort()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop)
  const { format, kinds = 'all' } = options
  if (options.json !== true) process.stderr.write(`following ${path} until interrupted\n`)
  const { rotations, ...report } = await followLog({
    path,
    format,
    selection: kinds,
    signal: interrupted.signal,
    ...(out === undefined ? {} : { directory: out }),
  })
  return { ...summaryOf([report], []), rotations, ...(out === undefined ? {} : { directory: out }) }
}

function added(counts: readonly Counts[]): Counts {
  const sums: Record<string, number> = {}
  for (const one of counts) for (const [key, count] of Object.entries(one)) sums[key] = (sums[key] ?? 0) + count
  return sums
}

function summaryOf(reports: readonly SourceReport[], refusedFiles: readonly RefusedFile[]): IngestSummary {
  const sources = reports.map(({ source, kinds }) => ({ ...source, kinds }))
  return {
    rows: sources.reduce((sum, source) => sum + source.interactions, 0),
    kinds: added(sources.map((source) => source.kinds)),
    skipped: added(sources.map((source) => source.skipped)),
    refused: added(sources.map((source) => source.refused)),
    refusedLines: refusedLines(sources),
    refusedFiles,
    sources,
  }
}

const wasNotUnderstood = ({ lines, refused }: IngestSummary['sources'][number]): boolean =>
  lines > 0 && Object.values(refused).reduce((sum, count) => sum + count, 0) === lines

const list = (counts: Counts): string =>
  Object.entries(counts)
    .sort(([, a], [, b]) => b - a)
    .map(([name, count]) => `${harmless(name)} ${count}`)
    .join(', ') || 'none'

/** Names come from logs and archives: one with escape sequences could rewrite what stands on the terminal. */
const harmless = (text: string): string => text.replace(/[\p{Cc}\p{Cf}]/gu, '?')

function render(summary: IngestSummary): string {
  const { rows, kinds, skipped, refused, refusedFiles, sources, rotations, directory } = summary
  return [
    columns([
      ['log', 'format', 'lines', 'rows', 'refused', ''],
      ...sources.map((source) => [
        harmless(source.name),
        source.format,
        String(source.lines),
        String(source.interactions),
        String(refusedLines([source])),
        source.truncated ? 'ends in the middle of a line' : '',
      ]),
    ]),
    '',
    `rows           ${rows}`,
    `kinds          ${list(kinds)}`,
    `skipped        ${list(skipped)}`,
    `refused lines  ${list(refused)}`,
    ...(refusedFiles.length === 0 ? [] : [`refused files  ${refusedFiles.length}`]),
    ...refusedFiles.map(({ name, reason }) => `  ${harmless(name)}: ${harmless(reason)}`),
    ...(rotations === undefined ? [] : [`rotations      ${rotations}`]),
    ...(directory === undefined ? [] : [`written to     ${directory}`]),
  ].join('\n')
}
