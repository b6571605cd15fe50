import { resolve } from 'node:path'
import { Command } from 'commander'
import { organisationId } from '../../../src/base/ids.ts'
import { setConfigValue } from '../../../src/node/config-edit.ts'
import { openControl } from '../../../src/node/control.ts'
import { ensureDataset } from '../../../src/node/own-data.ts'
import { startOrganisation } from '../../../src/node/start/start-organisation.ts'
import { organisationConfig } from '../organisation-config.ts'
import { print } from '../output.ts'
import { runUntilStopped, type Servers } from '../run.ts'
import { budgetCommand } from './budget.ts'
import { collect, directoryOption, jsonOption, type NodeOptions } from './options.ts'

export function orgCommand(servers: Servers): Command {
  const org = new Command('org').description('run the node of one organisation')
  for (const command of [
    joinCommand(),
    ingestCommand(),
    labelsCommand(),
    startCommand(servers),
    budgetCommand(),
    leaveCommand(),
  ])
    org.addCommand(command)
  return org
}

interface JoinOptions extends NodeOptions {
  readonly invitation: string
  readonly name: string
  readonly data: readonly string[]
  readonly network: readonly string[]
}

function joinCommand(): Command {
  return new Command('join')
    .description('join a federation with a one-time invitation: makes keys here, asks the hub for a certificate')
    .requiredOption('--invitation <text>', 'what the operator sent')
    .requiredOption('--name <id>', 'name of this organisation in the federation')
    .option('--data <path>', 'log file to learn from (repeatable)', collect, [])
    .option('--network <cidr>', 'own network (repeatable; default: the private ranges)', collect, [])
    .addOption(directoryOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nExample:\n  $ entente org join --dir bank-a --name bank-a --invitation eyJ2... --data /var/log/zeek/conn.log',
    )
    .action(async (options: JoinOptions) => {
      const organisation = organisationId(options.name)
      const { joinFederation } = await import('../../../src/node/start/join-federation.ts')
      const networks = options.network.length === 0 ? {} : { localNetworks: options.network }
      await joinFederation(options.dir, options.invitation, {
        organisation,
        data: { paths: options.data.map((path) => resolve(path)), ...networks },
      })
      print(
        { directory: options.dir, organisation },
        options,
        (value) => `${value.organisation} has joined. Start its node:  entente org start --dir ${value.directory}`,
      )
    })
}

function ingestCommand(): Command {
  return new Command('ingest')
    .description('turn the logs of the configuration into the data set to train on (start does it too)')
    .addOption(directoryOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  $ entente org ingest --dir bank-a')
    .action(async (options: NodeOptions) => {
      const { info, ingested, refusedLines } = await ensureDataset(
        options.dir,
        await organisationConfig(options.dir),
        showRows(options),
      )
      const { rows, labels, techniqueRows, localNetworks } = info
      print({ ingested, rows, labels, refusedLines, families: techniqueRows, localNetworks }, options, (value) =>
        [
          `${value.rows.toLocaleString('en')} interactions${value.ingested ? '' : ' (the logs have not changed)'}, ${value.refusedLines} lines refused`,
          `attacks: ${value.labels.attack.toLocaleString('en')}, of unknown label: ${value.labels.unknown.toLocaleString('en')}`,
        ].join('\n'),
      )
    })
}

function showRows(options: NodeOptions): (rows: number) => void {
  if (options.json === true || !process.stderr.isTTY) return () => undefined
  return (rows) => process.stderr.write(`\r${rows.toLocaleString('en')} interactions`)
}

function labelsCommand(): Command {
  return new Command('labels')
    .description('show or set the attack families that were investigated here: only their labels are used')
    .argument('[family...]', 'families to set')
    .option('--all', 'all families that the logs have labels of')
    .addOption(directoryOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  $ entente org labels --dir bank-a T1046 T1110')
    .action(async (families: readonly string[], options: NodeOptions & { readonly all?: boolean }) => {
      const asked = options.all === true ? 'all' : families
      if (asked.length > 0) await setConfigValue(options.dir, ['data', 'labels'], asked)
      const { labels } = (await organisationConfig(options.dir)).data
      print({ labels }, options, (value) => (value.labels === 'all' ? 'all' : value.labels.join('\n')))
    })
}

function startCommand({ serveControl }: Servers): Command {
  return new Command('start')
    .description('start the node: ingest, then take part in rounds until interrupted')
    .addOption(directoryOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  $ entente org start --dir bank-a')
    .action((options: NodeOptions) =>
      runUntilStopped('organisation', options, () =>
        startOrganisation(options.dir, { serve: serveControl, onIngest: showRows(options) }),
      ),
    )
}

function leaveCommand(): Command {
  return new Command('leave')
    .description('leave the federation for good; the node must be running')
    .addOption(directoryOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  $ entente org leave --dir bank-a')
    .action(async (options: NodeOptions) => {
      const control = await openControl(options.dir)
      await control.leave()
      control.close()
      print(
        { left: true },
        options,
        () => 'The hub has been told: this organisation takes no further part. Its ledger and models stay here.',
      )
    })
}
