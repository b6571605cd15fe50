/**
 * `npm run simulate -- [--seed N] [--runs K] [--json] [--verbose]`: simulates the seeds N, N+1, ... and exits with 1 at
 * the first whose history breaks a promise, showing how to see it again.
 */

import { parseArgs } from 'node:util'
import { loadKernels } from '../src/node/kernels.ts'
import { EPOCH_MS } from './scheduler.ts'
import { createSimulator, type Report } from './simulate.ts'
import { tally, type Tally } from './tally.ts'
import { excerptOf, shown } from './trace.ts'

const USAGE = `usage: npm run simulate -- [--seed N] [--runs K] [--json] [--verbose]
  --seed N    first seed (default 1)
  --runs K    number of seeds (default 100)
  --json      one JSON object on standard output
  --verbose   the whole history of every run on standard error
example: npm run simulate -- --seed 42 --runs 1 --verbose`

interface Options {
  readonly seed: number
  readonly runs: number
  readonly json: boolean
  readonly verbose: boolean
}

function parse(): Options {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string', default: '1' },
      runs: { type: 'string', default: '100' },
      json: { type: 'boolean', default: false },
      verbose: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  const [seed, runs] = [Number(values.seed), Number(values.runs)]
  if (values.help || !Number.isSafeInteger(seed) || !Number.isSafeInteger(runs) || runs < 1) {
    console.error(USAGE)
    process.exit(values.help ? 0 : 2)
  }
  return { seed, runs, json: values.json, verbose: values.verbose }
}

function showViolation(report: Report): void {
  for (const { checker, message } of report.violations) console.error(`seed ${report.seed}: ${checker}: ${message}`)
  console.error('\nThe history, as far as it helps:')
  for (const line of excerptOf(report)) console.error(shown(line))
  console.error(`\nAgain: npm run simulate -- --seed ${report.seed} --runs 1 --verbose`)
}

function showProgress(done: number, { runs }: Options, startedAt: number): void {
  if (!process.stderr.isTTY) return
  const perSecond = (done / (performance.now() - startedAt)) * 1000
  process.stderr.write(`\r${done} of ${runs} seeds, ${perSecond.toFixed(1)} seeds/s`)
}

async function main(options: Options): Promise<number> {
  const simulate = createSimulator(loadKernels())
  const startedAt = performance.now()
  const totals = tally()
  for (let i = 0; i < options.runs; i++) {
    const report = await simulate(String(options.seed + i))
    totals.add(report)
    if (options.verbose) for (const line of report.run.scheduler.lines) console.error(shown(line))
    if (report.violations.length > 0) return broken(report, totals, options)
    showProgress(i + 1, options, startedAt)
  }
  const seconds = (performance.now() - startedAt) / 1000
  const summary = { ...totals.figures(), seedsPerSecond: options.runs / seconds, violations: [] }
  if (options.json) console.log(JSON.stringify(summary))
  else
    console.log(
      `\n${describe(totals)} in ${seconds.toFixed(1)} s (${summary.seedsPerSecond.toFixed(1)} seeds/s): P1, P2, P3, P6 and P7 hold.`,
    )
  return 0
}

function broken(report: Report, totals: Tally, { json }: Options): number {
  showViolation(report)
  const hours = (report.run.scheduler.now() - EPOCH_MS) / 3_600_000
  if (json)
    console.log(
      JSON.stringify({ ...totals.figures(), seed: report.seed, virtualHours: hours, violations: report.violations }),
    )
  return 1
}

function describe(totals: Tally): string {
  const { seeds, crashes, tornWrites, messagesLost, forgeriesRefused, blocks, virtualHours } = totals.figures()
  return `${seeds} seeds, ${virtualHours.toFixed(0)} virtual hours, ${blocks} blocks, ${crashes} crashes, ${tornWrites} torn writes, ${messagesLost} lost messages, ${forgeriesRefused} forgeries`
}

process.exitCode = await main(parse())
