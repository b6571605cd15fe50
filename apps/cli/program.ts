/** `entente`: one program for the hub's operator, an organisation's administrator, analysts and auditors. */

import { Command, CommanderError } from 'commander'
import { EXIT, EXIT_HELP, exitCodeOf, printError, printUsageError } from './output.ts'
import type { Servers } from './run.ts'

const VERSION = '0.1.0'

type Loader = (servers: Servers) => Promise<Command>

/** In the order of the help. A process loads the code of its own command only: a node's memory is not for the demo's. */
export const LOADERS: Readonly<Record<string, Loader>> = {
  hub: async (servers) => (await import('./commands/hub.ts')).hubCommand(servers),
  org: async (servers) => (await import('./commands/org.ts')).orgCommand(servers),
  invite: async () => (await import('./commands/invite.ts')).inviteCommand(),
  train: async () => (await import('./commands/train.ts')).trainCommand(),
  model: async () => (await import('./commands/model.ts')).modelCommand(),
  ledger: async () => (await import('./commands/ledger.ts')).ledgerCommand(),
  status: async () => (await import('./commands/status.ts')).statusCommand(),
  ingest: async () => (await import('./commands/ingest.ts')).ingestCommand(),
  keys: async () => (await import('./commands/keys.ts')).keysCommand(),
  sanitize: async () => (await import('./commands/sanitize.ts')).sanitizeCommand(),
  detect: async () => (await import('./commands/detect.ts')).detectCommand(),
  respond: async () => (await import('./commands/respond.ts')).respondCommand(),
  'generate-traffic': async () => (await import('./commands/generate.ts')).generateCommand(),
  'split-capture': async () => (await import('./commands/split.ts')).splitCommand(),
  demo: async () => (await import('./commands/demo.ts')).demoCommand(),
}

/** @param wanted - what was typed first: unless it is a command, all are loaded, so that help knows them */
async function program(servers: Servers, wanted: string | undefined): Promise<Command> {
  const entente = new Command('entente')
    .description(
      'Train one threat-detection model from the logs of organisations that may not show each other their data.',
    )
    .version(VERSION)
    .showHelpAfterError()
    .addHelpText('after', `${EXIT_HELP}\n\nStart here:\n  $ entente demo`)
  const load = LOADERS[wanted ?? '']
  for (const each of load === undefined ? Object.values(LOADERS) : [load]) entente.addCommand(await each(servers))
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
    await overrideExits(await program(servers, argv[2]), json).parseAsync([...argv])
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
