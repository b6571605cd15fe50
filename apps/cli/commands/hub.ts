import { Command } from 'commander'
import { readConfig } from '../../../src/node/config.ts'
import { initHub } from '../../../src/node/start/init-hub.ts'
import { type HubStart, startHub } from '../../../src/node/start/start-hub.ts'
import { openOperator } from '../../../src/node/operator.ts'
import { wholeNumber } from '../demo/options.ts'
import { print } from '../output.ts'
import { runUntilStopped, type Servers } from '../run.ts'
import { directoryOption, jsonOption, type NodeOptions } from './options.ts'

export function hubCommand(servers: Servers): Command {
  return new Command('hub')
    .description('run the hub of a federation')
    .addCommand(initCommand())
    .addCommand(removeCommand())
    .addCommand(startCommand(servers))
}

function removeCommand(): Command {
  return new Command('remove')
    .description('remove an organisation for good: from now on the hub takes nothing from it (operator of the hub)')
    .argument('<organisation>')
    .requiredOption('--reason <text>', 'why; it is kept in the registry')
    .addOption(directoryOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  $ entente hub remove bank-a --reason "left the community" --dir hub')
    .action(async (organisation: string, options: NodeOptions & { readonly reason: string }) => {
      const operator = await openOperator(options.dir)
      try {
        await operator.remove(organisation, options.reason)
        print(
          { removed: organisation },
          options,
          () => `${organisation} is removed. What it signed stays in the ledger.`,
        )
      } finally {
        operator.close()
      }
    })
}

interface InitOptions extends NodeOptions {
  readonly federation: string
  readonly host: string
  readonly port: string
}

function initCommand(): Command {
  return new Command('init')
    .description('make the keys, the certificate authority and the configuration of a new federation')
    .requiredOption('--federation <name>', 'name of the federation, also the origin of its ledger')
    .option('--host <address>', 'address that organisations reach', '127.0.0.1')
    .option('--port <n>', 'port that organisations reach', '8443')
    .addOption(directoryOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nExample:\n  $ entente hub init --dir hub --federation finance-isac.example --host 192.0.2.7',
    )
    .action(async (options: InitOptions) => {
      const port = wholeNumber('--port', options.port, 0, 65_535)
      const { federation } = options
      await initHub(options.dir, { federation, listen: { host: options.host, port } })
      print({ directory: options.dir, federation }, options, (value) =>
        [
          `Federation ${value.federation} is set up in ${value.directory}.`,
          `Start its hub:  entente hub start --dir ${value.directory}`,
        ].join('\n'),
      )
    })
}

function startCommand({ serveHub }: Servers): Command {
  return new Command('start')
    .description('start the hub and serve until interrupted; several on one database are one hub')
    .addOption(directoryOption())
    .addOption(jsonOption())
    .option('--port <n>', 'another port than that of the configuration: for a second process over the same directory')
    .option('--runtime <directory>', 'where runtime.json goes: for a second process over the same directory')
    .addHelpText('after', '\nExample:\n  $ entente hub start --dir hub')
    .action((options: StartOptions) =>
      runUntilStopped('hub', options, async () =>
        startHub(options.dir, { serve: serveHub, ...(await placeOf(options)) }),
      ),
    )
}

interface StartOptions extends NodeOptions {
  readonly port?: string
  readonly runtime?: string
}

/** A second process is reached on the same network as the first, at another port. */
async function placeOf({ dir, port, runtime }: StartOptions): Promise<Omit<HubStart, 'serve'>> {
  const { host } = (await readConfig(dir)).listen
  return {
    ...(port === undefined ? {} : { listen: { host, port: wholeNumber('--port', port, 0, 65_535) } }),
    ...(runtime === undefined ? {} : { runtimeDirectory: runtime }),
  }
}
