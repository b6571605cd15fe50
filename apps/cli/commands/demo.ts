import { writeFile } from 'node:fs/promises'
import { Command } from 'commander'
import { runDemo } from '../demo/demo.ts'
import { parseDemoOptions, type RawDemoOptions, STRATEGIES } from '../demo/options.ts'
import { renderReport } from '../demo/report.ts'
import { EXIT } from '../output.ts'

const EXAMPLE = `
Examples:
  $ entente demo                                         generated traffic, five organisations, eight rounds
  $ entente demo --data darpa_original.zip --rounds 5    real traffic, split by network
  $ entente demo --keep ./federation --json report.json  keep the ledger, models and logs`

export function demoCommand(): Command {
  return new Command('demo')
    .description('run a whole federation of separate processes on this machine: join, train, evaluate, verify')
    .option('--orgs <n>', 'organisations', '5')
    .option('--rounds <n>', 'training rounds', '8')
    .option('--data <path>', 'DARPA zip, Zeek conn.log or Suricata eve.json (default: generated traffic)')
    .option('--strategy <name>', STRATEGIES.join(' | '), 'fedavg')
    .option(
      '--labels <which>',
      'own: each organisation has labels only of attack families it investigated | all',
      'own',
    )
    .option('--seed <n>', 'seed of traffic, selection and training', '42')
    .option('--json <file>', 'write the report as JSON ("-": standard output)')
    .option('--keep <directory>', 'keep everything in this (new or empty) directory')
    .option('--serve', 'leave the federation running until interrupted')
    .addHelpText('after', EXAMPLE)
    .action(demo)
}

async function demo(raw: RawDemoOptions): Promise<void> {
  const options = parseDemoOptions(raw)
  const report = await runDemo(options)
  if (options.json === '-') process.stdout.write(`${JSON.stringify(report, null, 2)}\n`)
  else process.stdout.write(`${renderReport(report)}\n`)
  if (options.json !== undefined && options.json !== '-')
    await writeFile(options.json, `${JSON.stringify(report, null, 2)}\n`)
  if (!report.ledger.verified || !report.ledger.sameOnAllNodes) process.exitCode = EXIT.invalid
}
