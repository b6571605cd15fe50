import { Command, Option } from 'commander'
import { fail } from '../../../src/base/errors.ts'
import { organisationId } from '../../../src/base/ids.ts'
import type { CkksSet } from '../../../src/node/homomorphic/ckks-parameters.ts'
import type { CeremonyFiles } from '../../../src/node/homomorphic/ceremony.ts'
import type { ModulusBits } from '../../../src/privacy/homomorphic/paillier/parameters.ts'
import type { SchemeKind } from '../../../src/privacy/homomorphic/scheme.ts'
import { columns, print } from '../output.ts'
import { collect, jsonOption } from './options.ts'
import { DEFAULT_LEVELS } from '../../../src/privacy/homomorphic/packing.ts'

interface DealOptions {
  readonly organisations: readonly string[]
  readonly output: string
  readonly scheme: SchemeKind
  readonly direct?: boolean
  readonly threshold?: number
  readonly bits: ModulusBits
  readonly exponentBits: number
  readonly set: CkksSet
  readonly levels: number
  readonly json?: boolean
}

const HELP = `
Whoever runs "deal" holds the whole key while it runs. Run it on a machine without network, watched by every organisation;
hand each organisation its own share file and the parameters; delete all shares there. Each organisation then runs "check".
With ckks every share is the same secret key: each organisation can read what any other contributed.
There is no way yet to renew shares: after a loss or a leak, deal again.`

const DEAL_EXAMPLE = `
Example:
  $ entente keys deal --organisations bank-a,hospital-b,utility-c --output ceremony`

const CHECK_EXAMPLE = `
Example:
  $ entente keys check --parameters parameters.json --share bank-a.share.json`

export function keysCommand(): Command {
  return new Command('keys')
    .description('keys of homomorphic encryption: deal them in a ceremony, check what was dealt')
    .addCommand(dealCommand())
    .addCommand(checkCommand())
    .addHelpText('after', HELP)
}

const number = (value: string): number => Number(value)

function dealCommand(): Command {
  return new Command('deal')
    .description('make a key: one public parameter file, one private share file for each organisation')
    .requiredOption('--organisations <names>', 'comma list of those who get a share, three or more', collect, [])
    .requiredOption('--output <directory>', 'a new directory; share files are readable by their owner only (0600)')
    .addOption(new Option('--scheme <name>').choices(['paillier', 'ckks']).default('paillier'))
    .option(
      '--threshold <n>',
      'how many must take part in opening a sum, more than half (default: more than two thirds)',
      number,
    )
    .option(
      '--direct',
      'Paillier: encrypt updates themselves, not the keys that hide them; minutes instead of seconds for a million parameters, and no assumption on lattices',
    )
    .addOption(new Option('--bits <n>', 'Paillier: size of the modulus').argParser(number).default(2048))
    .addOption(
      new Option(
        '--exponent-bits <n>',
        'Paillier: randomness of an encryption; half the modulus is slower, and needs no assumption on short exponents',
      )
        .argParser(number)
        .default(256),
    )
    .addOption(
      new Option('--set <name>', 'CKKS: primes; the larger set costs twice the bytes')
        .choices(['50-50', '60-60-60'])
        .default('50-50'),
    )
    .option('--levels <n>', 'largest integer that a coordinate becomes', number, DEFAULT_LEVELS)
    .addOption(jsonOption())
    .addHelpText('after', DEAL_EXAMPLE)
    .action(deal)
}

async function deal(options: DealOptions): Promise<void> {
  if (options.bits !== 2048 && options.bits !== 3072) fail('config-invalid', '--bits is 2048 or 3072')
  const organisations = options.organisations.map(organisationId).sort()
  if (new Set(organisations).size !== organisations.length) fail('config-invalid', 'an organisation is named twice')
  const { holdCeremony } = await import('../../../src/node/homomorphic/ceremony.ts')
  const files = await holdCeremony(options.output, {
    kind: options.scheme,
    direct: options.direct ?? false,
    organisations,
    threshold: options.threshold ?? Math.floor((2 * organisations.length) / 3) + 1,
    modulusBits: options.bits,
    exponentBits: options.exponentBits,
    set: options.set,
    levels: options.levels,
    contributionsMax: organisations.length,
  })
  print(files, options, render)
}

function render({ parameters, shares }: CeremonyFiles): string {
  return [
    columns([['everybody', parameters], ...shares.map(({ organisation, path }) => [`${organisation} alone`, path])]),
    '',
    'Hand each share to its owner, then delete all of them here: together they open every contribution.',
  ].join('\n')
}

function checkCommand(): Command {
  return new Command('check')
    .description('check that a share belongs to the parameters, and whose it is')
    .requiredOption('--parameters <file>', 'the public parameters')
    .option('--share <file>', 'an own share')
    .addOption(jsonOption())
    .addHelpText('after', CHECK_EXAMPLE)
    .action(check)
}

async function check(options: { parameters: string; share?: string; json?: boolean }): Promise<void> {
  const { readParameterFile, readShareFile } = await import('../../../src/node/homomorphic/ceremony.ts')
  const { openScheme } = await import('../../../src/node/homomorphic/open.ts')
  const parameters = await readParameterFile(options.parameters)
  const scheme = await openScheme(parameters, 0)
  const { kind, parameters: digest, organisations, threshold } = scheme
  const owner = options.share === undefined ? null : (await readShareFile(options.share, parameters)).organisation
  print({ kind, parameters: digest, organisations, threshold, share: owner }, options, (found) =>
    columns([
      ['scheme', found.kind],
      ['parameters', found.parameters],
      ['organisations', found.organisations.join(', ')],
      ['threshold', `${found.threshold} of ${found.organisations.length}`],
      ...(found.share === null ? [] : [['share of', found.share]]),
    ]),
  )
}
