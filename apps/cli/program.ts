/** `entente`: one program for the hub's operator, an organisation's administrator, analysts and auditors. */

import { Command, CommanderError } from 'commander'
import { demoCommand } from './commands/demo.ts'
import { generateCommand } from './commands/generate.ts'
import { hubCommand } from './commands/hub.ts'
import { ingestCommand } from './commands/ingest.ts'
import { inviteCommand } from './commands/invite.ts'
import { ledgerCommand } from './commands/ledger.ts'
import { modelCommand } from './commands/model.ts'
import { orgCommand } from './commands/org.ts'
import { splitCommand } from './commands/split.ts'
import { statusCommand } from './commands/status.ts'
import { trainCommand } from './commands/train.ts'
import { EXIT, EXIT_HELP, exitCodeOf, printError, printUsageError } from './output.ts'
import type { Servers } from './run.ts'

const VERSION = '0.1.0'

function program(servers: Servers): Command {
  const entente = new Command('entente')
    .description(
      'Train one threat-detection model from the logs of organisations that may not show each other their data.',
    )
    .version(VERSION)
    .showHelpAfterError()
    .addHelpText('after', `${EXIT_HELP}\n\nStart here:\n  $ entente demo`)
  for (const command of [
    hubCommand(servers),
    orgCommand(servers),
    inviteCommand(),
    trainCommand(),
    modelCommand(),
    ledgerCommand(),
    statusCommand(),
    ingestCommand(),
    generateCommand(),
    splitCommand(),
    demoCommand(),
  ])
    entente.addCommand(command)
  return entente
}

/** Commander exits from deep inside; thrown instead, so that the exit code is decided in one place. */
function overrideExits(command: Command, json: boolean): Command {
  command.exitOverride()
  if (json) command.configureOutput({ writeErr: () => undefined })
  for (const below of command.commands) overrideExits(below, json)
  return command
}

/** Runs one command; `argv` as of the process. Returns the exit code. */
export async function run(argv: readonly string[], servers: Servers): Promise<number> {
  const json = argv.includes('--json')
  try {
    await overrideExits(program(servers), json).parseAsync([...argv])
    return Number(process.exitCode ?? EXIT.ok)
  } catch (error) {
    if (!(error instanceof CommanderError)) {
      printError(error, { json })
      return exitCodeOf(error)
    }
    if (error.exitCode === 0) return EXIT.ok
    printUsageError(error.message, { json })
    return EXIT.usage
  }
}
