import { writeFile } from 'node:fs/promises'
import { Command } from 'commander'
import { runDemo } from '../demo/demo.ts'
import { clipOption, mechanismOption, purposeOption, unitOption } from './privacy-options.ts'
import { parseDemoOptions, type RawDemoOptions, STRATEGIES } from '../demo/options.ts'
import { renderReport } from '../demo/report.ts'
import { EPSILON_DEFAULT } from '../../../src/learning/example-privacy.ts'
import { PROTECTIONS } from '../../../src/learning/masking-config.ts'
import { DEFAULT_KIND, MODEL_KINDS } from '../../../src/node/default-model.ts'
import { EXIT } from '../output.ts'

const EXAMPLE = `
Examples:
  $ entente demo                                         generated traffic, five organisations
  $ entente demo --data darpa_original.zip               real traffic, split by network
  $ entente demo --keep ./federation --json report.json  keep the ledger, models and logs`

export function demoCommand(): Command {
  return new Command('demo')
    .description('run a whole federation of separate processes on this machine: join, train, evaluate, verify')
    .option('--orgs <n>', 'organisations', '5')
    .option('--model <kind>', `${MODEL_KINDS.join(' | ')}: perceptron or temporal graph network`, DEFAULT_KIND)
    .option('--rounds <n>', 'training rounds (default: 16 of a tgnn, 8 of an mlp)')
    .option('--data <path>', 'DARPA zip, Zeek conn.log or Suricata eve.json (default: generated traffic)')
    .option('--strategy <name>', `${STRATEGIES.join(' | ')} (default: fedavgm of a tgnn, fedavg of an mlp)`)
    .option(
      '--labels <which>',
      'own: each organisation has labels only of attack families it investigated | all',
      'own',
    )
    .option(
      '--protect <how>',
      `${PROTECTIONS.join(' | ')}: who sees single updates (default: secagg, nobody; with --robust or --attack plain: the hub)`,
    )
    .option(
      '--epsilon <n>',
      `differential privacy of all rounds together, at delta 1e-5, or off (default: ${EPSILON_DEFAULT})`,
    )
    .addOption(unitOption())
    .addOption(clipOption())
    .addOption(mechanismOption())
    .addOption(purposeOption())
    .option(
      '--robust <rule[:f]>',
      'aggregate by a rule that withstands f organisations that lie; on single updates, --protect plain, unless --protect secagg asks for means of buckets of three',
    )
    .option(
      '--attack <kind:n>',
      'signflip:1: so many organisations send the opposite of what they learned; in the clear (--protect plain) unless --protect says otherwise',
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
