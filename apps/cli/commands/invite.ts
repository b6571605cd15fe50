import { Command } from 'commander'
import { openOperator } from '../../../src/node/operator.ts'
import { wholeNumber } from '../demo/options.ts'
import { print } from '../output.ts'
import { collect, directoryOption, jsonOption, type NodeOptions } from './options.ts'

interface InviteOptions extends NodeOptions {
  readonly name?: string
  readonly hours: string
  readonly url: readonly string[]
}

export function inviteCommand(): Command {
  return new Command('invite')
    .description('make a one-time invitation to the federation (operator of the hub)')
    .option('--name <id>', 'only for an organisation of this name')
    .option('--hours <n>', 'how long it is valid', '72')
    .option(
      '--url <address>',
      'address of the hub as organisations reach it (repeatable: several hub processes)',
      collect,
      [],
    )
    .addOption(directoryOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  $ entente invite --dir hub --name bank-a')
    .action(async (options: InviteOptions) => {
      const lifetimeMs = wholeNumber('--hours', options.hours, 1, 24 * 365) * 3_600_000
      const named = options.name === undefined ? {} : { organisation: options.name }
      const urls = options.url.length === 0 ? {} : { urls: options.url }
      const operator = await openOperator(options.dir)
      try {
        const invited = await operator.invite({ ...named, ...urls, lifetimeMs })
        print(invited, options, (value) => value.invitation)
      } finally {
        operator.close()
      }
    })
}
