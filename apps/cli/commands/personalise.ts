import { Command } from 'commander'
import { personalise } from '../../../src/node/detect/personalise.ts'
import { datasetDirectory, ensureDataset } from '../../../src/node/own-data.ts'
import { organisationConfig } from '../organisation-config.ts'
import { print } from '../output.ts'
import { createTicker } from '../ticker.ts'
import { directoryOption, jsonOption, type NodeOptions } from './options.ts'

interface PersonaliseCommandOptions extends NodeOptions {
  readonly model: string
  readonly output: string
}

export function personaliseCommand(): Command {
  return new Command('personalise')
    .description("train the organisation's own model on its own labels, to stand beside a shared one; nothing is sent")
    .requiredOption('--model <file>', 'the shared model: a safetensors file, as entente model export writes it')
    .option('--out, --output <file>', 'file to write', 'own.safetensors')
    .addOption(directoryOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Example:
  $ entente model personalise --dir bank-a --model model.safetensors --out own.safetensors
  $ entente detect --model model.safetensors --own own.safetensors --input today/ --threshold 0`,
    )
    .action(run)
}

async function run(options: PersonaliseCommandOptions): Promise<void> {
  const { dir, model: sharedPath, output } = options
  const config = await organisationConfig(dir)
  const ticker = options.json === true ? undefined : createTicker()
  await ensureDataset(dir, config, (rows) => ticker?.tick('read', rows))
  const { trainUntil, labels: families } = config.data
  const data = { directory: datasetDirectory(dir), trainUntil, families }
  ticker?.clear()
  const personal = await personalise({ sharedPath, data, output })
  print(
    personal,
    options,
    ({ file, rows, attacks }) =>
      `an own model of ${rows.toLocaleString('en')} rows, ${attacks.toLocaleString('en')} of them attacks, is in ${file}`,
  )
}
