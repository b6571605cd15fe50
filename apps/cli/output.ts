/** What a command prints: one JSON document with `--json`, otherwise lines for a person. Errors go to standard error. */

import { EntenteError } from '../../src/base/errors.ts'

/** Exit codes of `entente`, as its help documents them. */
export const EXIT = { ok: 0, failed: 1, usage: 2, invalid: 3, unavailable: 4 } as const

export const EXIT_HELP = `
Exit codes:
  0  done
  1  refused or failed; the message says why and what to do
  2  the command line or the configuration is not valid
  3  evidence does not verify (ledger, model, signature)
  4  something that is needed does not answer; the same command may work later`

export interface OutputOptions {
  readonly json?: boolean
}

/** Prints `value` as JSON, or the lines that `render` makes of it. */
export function print<T>(value: T, options: OutputOptions, render: (value: T) => string): void {
  process.stdout.write(`${options.json === true ? JSON.stringify(value, null, 2) : render(value)}\n`)
}

/** Columns padded to their widest cell. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths: number[] = []
  for (const row of rows) row.forEach((cell, i) => (widths[i] = Math.max(widths[i] ?? 0, cell.length)))
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

const INVALID: ReadonlySet<string> = new Set([
  'ledger-invalid',
  'ledger-conflict',
  'model-invalid',
  'digest-mismatch',
  'signature-invalid',
])

/** Exit code that an error deserves. */
export function exitCodeOf(error: unknown): number {
  if (!(error instanceof EntenteError)) return EXIT.failed
  if (error.code === 'config-invalid') return EXIT.usage
  if (INVALID.has(error.code)) return EXIT.invalid
  return error.code === 'unavailable' ? EXIT.unavailable : EXIT.failed
}

/** Prints an error to standard error; with `--json`, as the problem document that the API would send. */
export function printError(error: unknown, options: OutputOptions): void {
  const { code, message, retryable, details } = problemOf(error)
  if (options.json === true) process.stderr.write(`${JSON.stringify({ code, message, retryable, details })}\n`)
  else process.stderr.write(`entente: ${message} [${code}]${retryable ? ' (trying again may help)' : ''}\n`)
}

/** What the operating system refuses is said in its words; of a defect the trace is what helps. */
function problemOf(error: unknown): Pick<EntenteError, 'code' | 'message' | 'retryable' | 'details'> {
  if (error instanceof EntenteError) return error
  const { message = String(error), stack, syscall } = error as Partial<NodeJS.ErrnoException>
  const text = syscall === undefined ? (stack ?? message) : message
  return { code: 'internal', message: text, retryable: false, details: {} }
}

/** Prints what the command line parser refused; without `--json` it has printed that itself. */
export function printUsageError(message: string, options: OutputOptions): void {
  if (options.json === true) printError(new EntenteError('invalid-request', message), options)
}
