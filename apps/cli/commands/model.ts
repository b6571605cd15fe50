import { mkdtemp, rm } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { Command, Option } from 'commander'
import { fail } from '../../../src/base/errors.ts'
import { digest } from '../../../src/base/ids.ts'
import type { Block } from '../../../src/ledger/block.ts'
import { exportModel, MODEL_FORMATS, type ModelFormat } from '../../../src/node/detect/export-model.ts'
import { type LedgerAccess, openLedger } from '../ledger-access.ts'
import { columns, print } from '../output.ts'
import { directoryOption, jsonOption, type NodeOptions } from './options.ts'
import { personaliseCommand } from './personalise.ts'

export function modelCommand(): Command {
  const model = new Command('model').description('models that this node holds, each in a verified block')
  for (const command of [listCommand(), showCommand(), exportCommand(), personaliseCommand()]) model.addCommand(command)
  return model
}

async function withLedger<T>(
  directory: string,
  work: (ledger: LedgerAccess, blocks: readonly Block[]) => Promise<T>,
): Promise<T> {
  const ledger = await openLedger(directory)
  try {
    return await work(ledger, await ledger.blocks(0))
  } finally {
    ledger.close()
  }
}

/** By version or by the first digits of the hash; without a name, the newest. */
function find(blocks: readonly Block[], name: string | undefined): Block {
  if (name === undefined) return blocks.at(-1) ?? fail('not-found', 'there is no model yet')
  const found = blocks.filter(
    (block) => block.provenance.model_version === name || (name.length >= 6 && block.model_hash.startsWith(name)),
  )
  return found.at(-1) ?? fail('not-found', `no model is called ${name}; see: entente model list`)
}

function listCommand(): Command {
  return new Command('list')
    .description('all versions, newest last')
    .addOption(directoryOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  $ entente model list --dir bank-a')
    .action((options: NodeOptions) =>
      withLedger(options.dir, async (_, blocks) => {
        const models = blocks.map(({ provenance, model_hash, height, timestamp }) => ({
          version: provenance.model_version,
          model_hash,
          height,
          timestamp,
        }))
        print(models, options, (value) =>
          columns([
            ['version', 'height', 'sealed', 'model hash'],
            ...value.map((one) => [one.version, String(one.height), one.timestamp, one.model_hash]),
          ]),
        )
      }),
    )
}

function showCommand(): Command {
  return new Command('show')
    .description('the block of a model: who took part, under which configuration and protection')
    .argument('[model]', 'version, or at least six digits of the hash (default: the newest)')
    .addOption(directoryOption())
    .addHelpText('after', '\nExample:\n  $ entente model show v1.3-round-3 --dir bank-a')
    .action((name: string | undefined, options: NodeOptions) =>
      withLedger(options.dir, async (_, blocks) => print(find(blocks, name), { json: true }, String)),
    )
}

interface ExportOptions extends NodeOptions {
  readonly model?: string
  readonly output?: string
  readonly format: ModelFormat
}

function exportCommand(): Command {
  return new Command('export')
    .description('write a model to a file: safetensors, whose SHA-256 is the model hash of the ledger, or ONNX')
    .argument('[model]', 'of the ledger: version, or at least six digits of the hash (default: the newest)')
    .option('--model <file>', 'a safetensors file instead; no node is needed')
    .option('--out, --output <file>', 'file to write (default: model.safetensors or model.onnx)')
    .addOption(new Option('--format <name>', 'of the file').choices(MODEL_FORMATS).default('safetensors'))
    .addOption(directoryOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nExamples:\n  $ entente model export --dir bank-a --out model.safetensors\n  $ entente model export --model model.safetensors --format onnx',
    )
    .action(async (name: string | undefined, options: ExportOptions, command: Command) => {
      if (name !== undefined && options.model !== undefined)
        fail('config-invalid', 'name a model of the ledger, or a file with --model, not both')
      const output = options.output ?? `model.${options.format}`
      const version = command.parent?.parent?.version() ?? ''
      const exported =
        options.model === undefined
          ? await withDownloaded(name, options, (file) => exportModel(file, output, options.format, version))
          : await exportModel(options.model, output, options.format, version)
      print(exported, options, (value) => `model ${value.model_hash} is in ${value.file}`)
    })
}

/** Runs `work` on a model of the ledger, in a temporary file beside the output. */
async function withDownloaded<T extends object>(
  name: string | undefined,
  { dir, output = '.' }: ExportOptions,
  work: (file: string) => Promise<T>,
): Promise<T & { version: string }> {
  const room = await mkdtemp(join(dirname(resolve(output)), '.entente-model-'))
  try {
    const file = join(room, 'model.safetensors')
    const version = await withLedger(dir, async (ledger, blocks) => {
      const { provenance, model_hash } = find(blocks, name)
      await ledger.downloadModel(digest(model_hash), file)
      return provenance.model_version
    })
    return { ...(await work(file)), version }
  } finally {
    await rm(room, { recursive: true, force: true })
  }
}
