import { writeFile } from 'node:fs/promises'
import { Command } from 'commander'
import { encodeExport } from '../../../src/ledger/export.ts'
import { type LedgerAccess, openLedger } from '../ledger-access.ts'
import { wholeNumber } from '../demo/options.ts'
import { columns, print } from '../output.ts'
import { proveCommand, verifyCommand } from './evidence.ts'
import { directoryOption, jsonOption, type NodeOptions } from './options.ts'
import { reputationCommand } from './reputation.ts'

export function ledgerCommand(): Command {
  const ledger = new Command('ledger').description('read, export and verify the ledger of models')
  for (const command of [
    showCommand(),
    blockCommand(),
    provenanceCommand(),
    exportCommand(),
    verifyCommand(),
    proveCommand(),
    reputationCommand(),
  ])
    ledger.addCommand(command)
  return ledger
}

async function withLedger<T>(directory: string, work: (source: LedgerAccess) => Promise<T>): Promise<T> {
  const source = await openLedger(directory)
  try {
    return await work(source)
  } finally {
    source.close()
  }
}

function showCommand(): Command {
  return new Command('show')
    .description('the blocks, newest last')
    .option('--from <height>', 'first height', '0')
    .addOption(directoryOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  $ entente ledger show --dir bank-a')
    .action((options: NodeOptions & { readonly from: string }) =>
      withLedger(options.dir, async (source) => {
        const blocks = await source.blocks(wholeNumber('--from', options.from, 0, Number.MAX_SAFE_INTEGER))
        print(blocks, options, (value) =>
          columns([
            ['height', 'time', 'model version', 'model', 'participants', 'signatures'],
            ...value.map((block) => [
              String(block.height),
              block.timestamp,
              block.provenance.model_version,
              block.model_hash.slice(0, 16),
              String(block.provenance.participants.length),
              String(Object.keys(block.org_signatures).length),
            ]),
          ]),
        )
      }),
    )
}

function blockCommand(): Command {
  return new Command('block')
    .description('one block, whole')
    .argument('<height>')
    .addOption(directoryOption())
    .addHelpText('after', '\nExample:\n  $ entente ledger block 3 --dir bank-a')
    .action((height: string, options: NodeOptions) =>
      withLedger(options.dir, async (source) =>
        print(await source.block(wholeNumber('height', height, 0, Number.MAX_SAFE_INTEGER)), { json: true }, String),
      ),
    )
}

function provenanceCommand(): Command {
  return new Command('provenance')
    .description('where a model comes from: its ancestors, who took part, under which parameters')
    .argument('<model-hash>')
    .addOption(directoryOption())
    .addHelpText('after', '\nExample:\n  $ entente ledger provenance 5f1c… --dir bank-a')
    .action((model: string, options: NodeOptions) =>
      withLedger(options.dir, async (source) => print(await source.provenance(model), { json: true }, String)),
    )
}

interface ExportOptions extends NodeOptions {
  readonly out: string
  readonly keys: string
}

function exportCommand(): Command {
  return new Command('export')
    .description('write the ledger and the public keys to files that anyone can verify offline')
    .option('--out <file>', 'ledger file', 'federation.ledger.json')
    .option(
      '--keys <file>',
      'key file; an auditor should get it by another way than the ledger',
      'federation.keys.json',
    )
    .addOption(directoryOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  $ entente ledger export --dir hub --out federation.ledger.json')
    .action((options: ExportOptions) =>
      withLedger(options.dir, async (source) => {
        await writeFile(options.out, encodeExport(await source.export()))
        await writeFile(options.keys, `${JSON.stringify(await source.keys(), null, 2)}\n`)
        print(
          { ledger: options.out, keys: options.keys },
          options,
          (value) => `Written: ${value.ledger} and ${value.keys}`,
        )
      }),
    )
}
