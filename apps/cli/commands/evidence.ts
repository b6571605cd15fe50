/** For auditors: files in, a verdict out. No node is asked, and every file is hostile. */

import { readFile, writeFile } from 'node:fs/promises'
import { Command } from 'commander'
import { EntenteError, fail } from '../../../src/base/errors.ts'
import { checkConsistency, checkInclusion, proveConsistency, proveInclusion } from '../../../src/ledger/evidence.ts'
import {
  type ExportFault,
  inspectExport,
  type LedgerExport,
  type LedgerKeys,
  parseExport,
  parseKeys,
} from '../../../src/ledger/export.ts'
import { wholeNumber } from '../demo/options.ts'
import { print } from '../output.ts'
import { jsonOption } from './options.ts'

/** Faults shown to a person; `--json` has them all. */
const FAULTS_SHOWN = 50

interface VerifyOptions {
  readonly keys: string
  readonly json?: boolean
}

export function verifyCommand(): Command {
  return new Command('verify')
    .description(
      'check an exported ledger, or a proof made by "prove", with public keys only; exit code 3 if anything in it is wrong',
    )
    .argument('<file>')
    .requiredOption('--keys <file>', 'public keys of the hub and the organisations')
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  $ entente ledger verify federation.ledger.json --keys federation.keys.json')
    .action(async (file: string, options: VerifyOptions) => {
      const keys = await readKeys(options.keys)
      const text = await readText(file)
      const format = formatOf(text)
      if (format === 'entente-inclusion-1') verifyInclusion(file, JSON.parse(text), keys, options)
      else if (format === 'entente-consistency-1') verifyConsistency(file, JSON.parse(text), keys, options)
      else verifyLedger(file, text, keys, options)
    })
}

/** Undefined for anything that does not say what it is; then it is judged as a ledger. */
function formatOf(text: string): unknown {
  try {
    return (JSON.parse(text) as { format?: unknown } | null)?.format
  } catch {
    return undefined
  }
}

function verifyLedger(file: string, text: string, keys: LedgerKeys, options: VerifyOptions): void {
  const { summary, faults, faultsOmitted } = inspectExport(ledgerIn(text), keys)
  if (summary === undefined)
    fail('ledger-invalid', `${file} does not verify:\n${faultLines(faults, faultsOmitted)}`, { faults, faultsOmitted })
  print({ verified: true, ...summary }, options, (value) =>
    [
      `${file} verifies: ${value.blocks} blocks, up to height ${value.height}`,
      `newest model ${value.modelHash}`,
      `signed by ${value.organisations.join(', ')}`,
    ].join('\n'),
  )
}

/** @throws ledger-invalid for whatever is not a ledger: to an auditor a broken file is evidence that does not verify */
function ledgerIn(text: string): LedgerExport {
  try {
    return parseExport(text)
  } catch (error) {
    if (!(error instanceof EntenteError) || error.code === 'ledger-invalid') throw error
    throw new EntenteError('ledger-invalid', error.message, { cause: error, details: { reason: error.code } })
  }
}

function faultLines(faults: readonly ExportFault[], omitted: number): string {
  const shown = faults.slice(0, FAULTS_SHOWN).map(({ height, reason, message }) => {
    const place = height === null ? 'whole file' : `height ${height}`
    return `  ${place}: ${message} (${reason})`
  })
  const more = faults.length - shown.length + omitted
  return [...shown, ...(more === 0 ? [] : [`  and ${more} more`])].join('\n')
}

function verifyInclusion(file: string, proof: unknown, keys: LedgerKeys, options: VerifyOptions): void {
  const { height, hash, model_hash: modelHash } = checkInclusion(proof, keys)
  print({ verified: true, height, hash, modelHash }, options, () =>
    [`${file} verifies: block ${height} is in the ledger of ${keys.origin}`, `model ${modelHash}`].join('\n'),
  )
}

function verifyConsistency(file: string, proof: unknown, keys: LedgerKeys, options: VerifyOptions): void {
  const sizes = checkConsistency(proof, keys)
  print(
    { verified: true, ...sizes },
    options,
    ({ older, newer }) => `${file} verifies: the ledger of ${newer} blocks begins with the ledger of ${older} blocks`,
  )
}

interface ProveOptions {
  readonly ledger: string
  readonly since?: string
  readonly keys?: string
  readonly out?: string
}

export function proveCommand(): Command {
  return new Command('prove')
    .description(
      'take a proof out of an exported ledger that verifies without it: that a block is in it, or that it grew from an older one',
    )
    .argument('[height]', 'height of the block')
    .option('--ledger <file>', 'exported ledger', 'federation.ledger.json')
    .option('--since <file>', 'exported ledger of an earlier day: prove that this one begins with it')
    .option('--keys <file>', 'public keys; needed with --since')
    .option('--out <file>', 'where the proof goes (default: standard output)')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nExample:\n  $ entente ledger prove 3 --ledger federation.ledger.json --out block-3.proof.json',
    )
    .action(async (height: string | undefined, options: ProveOptions) => {
      const ledger = ledgerIn(await readText(options.ledger))
      const proof =
        options.since === undefined ? inclusion(ledger, height) : await growth(ledger, options.since, options.keys)
      const text = `${JSON.stringify(proof)}\n`
      if (options.out === undefined) process.stdout.write(text)
      else await writeFile(options.out, text)
    })
}

function inclusion(ledger: LedgerExport, height: string | undefined): unknown {
  if (height === undefined) fail('config-invalid', 'name the height of a block, or an older ledger with --since')
  return proveInclusion(ledger, wholeNumber('height', height, 0, Math.max(0, ledger.leaves.length - 1)))
}

async function growth(ledger: LedgerExport, since: string, keys: string | undefined): Promise<unknown> {
  if (keys === undefined) fail('config-invalid', '--since needs --keys: the older ledger may not be of this log')
  return proveConsistency(ledger, ledgerIn(await readText(since)).checkpoint, await readKeys(keys))
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw new EntenteError('not-found', `${path} cannot be read`, { cause })
  }
}

/** @throws config-invalid */
async function readKeys(path: string): Promise<LedgerKeys> {
  const content = await readText(path)
  try {
    return parseKeys(JSON.parse(content))
  } catch (cause) {
    if (cause instanceof EntenteError) throw cause
    throw new EntenteError('config-invalid', `${path} is not JSON`, { cause })
  }
}
