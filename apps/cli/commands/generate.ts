import { Command } from 'commander'
import { writeTraffic } from '../../../src/node/write-traffic.ts'
import { wholeNumber } from '../demo/options.ts'
import { columns, print } from '../output.ts'
import { jsonOption, type NodeOptions } from './options.ts'

interface GenerateOptions extends NodeOptions {
  readonly out: string
  readonly sites: string
  readonly seed: string
  readonly days: string
  readonly interactions: string
}

export function generateCommand(): Command {
  return new Command('generate-traffic')
    .description(
      'write labelled Zeek conn logs of invented sites under attack; what is modelled: src/telemetry/generator/README.md',
    )
    .requiredOption('--out <directory>', 'where the logs go')
    .option('--sites <n>', 'sites', '5')
    .option('--seed <n>', 'the same seed writes the same bytes', '42')
    .option('--days <n>', 'length of the period, from a Monday on', '10')
    .option('--interactions <n>', 'about how many each site has', '80000')
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  $ entente generate-traffic --out traffic --sites 3 --seed 7')
    .action(async (options: GenerateOptions) => {
      const written = await writeTraffic({
        directory: options.out,
        sites: wholeNumber('--sites', options.sites, 1, 100),
        seed: options.seed,
        days: wholeNumber('--days', options.days, 1, 366),
        interactionsPerSite: wholeNumber('--interactions', options.interactions, 1, 1_000_000_000),
      })
      print(written, options, ({ sites }) =>
        columns([
          ['site', 'interactions', 'attacks', 'file'],
          ...sites.map((site) => [site.name, String(site.interactions), String(site.positives), site.path]),
        ]),
      )
    })
}
