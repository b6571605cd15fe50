import { Command, Option } from 'commander'
import { fail } from '../../../src/base/errors.ts'
import { OutputClosed } from '../../../src/node/detect/output.ts'
import { replaceFile } from '../../../src/node/replace-file.ts'
import { sanitiseFiles } from '../../../src/node/sanitise/files.ts'
import { freshKeys, openKeyFile } from '../../../src/node/sanitise/key-file.ts'
import { type Output, outputFile, outputStream } from '../../../src/node/sanitise/output-file.ts'
import type { KeyScope } from '../../../src/privacy/sanitise/keys.ts'
import type { SanitiseReport } from '../../../src/privacy/sanitise/report.ts'
import { SANITISE_FORMATS, type SanitiseFormat } from '../../../src/privacy/sanitise/sanitiser.ts'
import { columns } from '../output.ts'
import { jsonOption } from './options.ts'

interface SanitizeOptions {
  readonly output?: string
  readonly keys?: string
  readonly federation?: string
  readonly epoch?: string
  readonly report?: string
  readonly format: SanitiseFormat | 'auto'
  readonly dryRun?: boolean
  readonly json?: boolean
}

const HELP = `
What leaves is what a list allows, field by field. Names become pseudonyms, addresses keep their prefixes, secrets are
removed. Without --keys the keys are forgotten: no pseudonym of this run can be undone, or linked with another run.
With --keys, who has the file can undo addresses (Crypto-PAn) and numbers and ids (FF1); names, users and what was removed
cannot be undone by anybody, but who has the file can try a name and compare. --epoch and --federation give other
pseudonyms from the same file, that only who has it can link with the first.
Lines that are not of their format are left out and counted, since nobody knows what they hold.

Examples:
  $ entente sanitize conn.log --output conn.sanitised.log --report report.json
  $ entente sanitize eve.json.gz --keys keys/sanitise.json --output eve.json
  $ entente sanitize auth.log --dry-run`

export function sanitizeCommand(): Command {
  return new Command('sanitize')
    .description('take personal data and secrets out of logs, line by line, and say what was taken')
    .argument('<file...>', 'Zeek, Suricata EVE, Windows event, NetFlow or DARPA logs, or plain text; gzip, zip or zstd')
    .option('--output <file>', 'where the lines go (default: standard output)')
    .option('--keys <file>', 'keys of the pseudonyms; made there if there are none')
    .option(
      '--federation <name>',
      'with --keys: pseudonyms of two federations cannot be linked (default: that of the file, "none" in a new one)',
    )
    .option(
      '--epoch <name>',
      'with --keys: pseudonyms of two epochs cannot be linked (default: that of the file, "1" in a new one)',
    )
    .option('--report <file>', 'where the report goes as JSON; it holds counts, and no value')
    .addOption(new Option('--format <format>', 'of every file').choices(['auto', ...SANITISE_FORMATS]).default('auto'))
    .option('--dry-run', 'write no lines, only say what would be taken')
    .addOption(jsonOption())
    .addHelpText('after', HELP)
    .action(run)
}

async function run(paths: string[], options: SanitizeOptions): Promise<void> {
  if (options.json === true && options.output === undefined && options.dryRun !== true)
    fail(
      'config-invalid',
      'with --json the report goes to standard output: name an --output for the lines, or --dry-run',
    )
  const keys =
    options.keys === undefined || options.dryRun === true
      ? freshKeys()
      : await openKeyFile(options.keys, scopeOf(options))
  const output = await outputOf(options)
  try {
    const { report, formats } = await sanitiseFiles({ paths, keys, format: options.format, write: output.write })
    await output.commit()
    const full = { ...report, formats }
    if (options.report !== undefined) await replaceFile(options.report, `${JSON.stringify(full, null, 2)}\n`, 0o600)
    if (options.json === true) process.stdout.write(`${JSON.stringify(full, null, 2)}\n`)
    else process.stderr.write(`${render(report, formats)}\n`)
  } catch (error) {
    await output.abort()
    // Who reads the pipe has seen enough: an end, not an error.
    if (!(error instanceof OutputClosed)) throw error
  }
}

function scopeOf({ federation, epoch }: SanitizeOptions): Partial<KeyScope> {
  return { ...(federation === undefined ? {} : { federation }), ...(epoch === undefined ? {} : { epoch }) }
}

async function outputOf({ output, dryRun }: SanitizeOptions): Promise<Output> {
  if (dryRun === true)
    return { write: async () => undefined, commit: async () => undefined, abort: async () => undefined }
  return output === undefined ? outputStream(process.stdout) : outputFile(output)
}

function render(report: SanitiseReport, formats: readonly SanitiseFormat[]): string {
  const { linesIn, linesOut, linesDropped, fields, unlisted, detectors, techniques } = report
  const list = (counts: Readonly<Record<string, number>>): string =>
    Object.entries(counts)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ') || 'none'
  return [
    `files          ${formats.length} (${[...new Set(formats)].join(', ')})`,
    `lines          ${linesIn} in, ${linesOut} out; left out: ${list(linesDropped)}`,
    `not on a list  ${list(unlisted)}`,
    `in texts       ${list(detectors)}`,
    `techniques     ${techniques.normalised} normalised, ${techniques.unknown} unknown`,
    ...(Object.keys(fields).length === 0 ? [] : ['']),
    columns(Object.entries(fields).map(([field, outcomes]) => [field, list(outcomes)])),
    ...(formats.includes('text') ? ['', TEXT_WARNING] : []),
  ].join('\n')
}

const TEXT_WARNING =
  'Plain text has no fields that a list could allow: what no detector recognises is still there. Read before you share.'
