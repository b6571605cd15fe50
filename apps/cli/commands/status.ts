import { Command } from 'commander'
import { readConfig } from '../../../src/node/config.ts'
import { openControl } from '../../../src/node/control.ts'
import { openOperator } from '../../../src/node/operator.ts'
import { columns, print } from '../output.ts'
import { directoryOption, jsonOption, type NodeOptions } from './options.ts'

export function statusCommand(): Command {
  return new Command('status')
    .description(
      'what the node in this directory knows: members and trainings of a hub, ledger and model of an organisation',
    )
    .addOption(directoryOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  $ entente status --dir bank-a')
    .action(async (options: NodeOptions) => {
      const { role } = await readConfig(options.dir)
      return role === 'hub' ? hubStatus(options) : organisationStatus(options)
    })
}

async function hubStatus(options: NodeOptions): Promise<void> {
  const operator = await openOperator(options.dir)
  try {
    print(await operator.status(), options, (status) =>
      [
        `Hub of ${status.federation}: ledger of ${status.ledger.size} blocks, model ${status.ledger.model_version ?? '(none yet)'}`,
        columns([
          ['organisation', 'status', 'last seen'],
          ...status.organisations.map((each) => [
            each.org_id,
            each.status,
            each.seen_at === null ? 'never' : new Date(each.seen_at).toISOString(),
          ]),
        ]),
      ].join('\n'),
    )
  } finally {
    operator.close()
  }
}

async function organisationStatus(options: NodeOptions): Promise<void> {
  const control = await openControl(options.dir)
  const status = await control.status()
  control.close()
  print(status, options, ({ organisation, federation, ledger }) =>
    [
      `${organisation} in ${federation}: ledger of ${ledger.size} blocks, verified here`,
      `model ${ledger.model_version ?? '(none yet)'} ${ledger.model_hash ?? ''}${ledger.model_present ? '' : ' (not fetched yet)'}`,
      ...(ledger.conflict === null
        ? []
        : ['THE LEDGER HAS CONTRADICTED ITSELF: see "conflict" in --json, and show it to the other organisations']),
    ].join('\n'),
  )
}
