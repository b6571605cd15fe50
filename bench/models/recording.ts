/** What benches over seeds have in common: options, the timing of each part, and results that outlive a run that is stopped. */

import { readFileSync, writeFileSync } from 'node:fs'
import { machine } from './page.ts'
import { createResults, merge, type Results, type Run } from './results.ts'

export const SEED_OPTIONS = {
  seeds: { type: 'string', default: '5' },
  first: { type: 'string', default: '1' },
  json: { type: 'string' },
  from: { type: 'string' },
  write: { type: 'boolean', default: false },
  tiny: { type: 'boolean', default: false },
} as const

export interface SeedOptions {
  readonly seeds: string
  readonly first: string
  readonly json?: string | undefined
  readonly from?: string | undefined
}

function wholeNumber(options: SeedOptions, name: 'seeds' | 'first'): number {
  const value = Number(options[name])
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} takes a positive whole number`)
  return value
}

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string
}

/** Stored after every part of every seed. */
function save(results: Results, { json }: SeedOptions): void {
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(results)}\n`)
}

/** Those of `--from`, or of what `measure` does for each seed. */
export async function resultsOf(
  options: SeedOptions,
  measure: (seed: string, results: Results) => Promise<void>,
): Promise<Results> {
  if (options.from !== undefined) {
    const earlier = merge(options.from.split(',').map((file) => JSON.parse(readFileSync(file, 'utf8')) as Results))
    save(earlier, options)
    return earlier
  }
  const results = createResults()
  const [first, count] = [wholeNumber(options, 'first'), wholeNumber(options, 'seeds')]
  for (let seed = first; seed < first + count; seed++) await measure(String(seed), results)
  return results
}

export type Part = Pick<Run, 'section' | 'part' | 'model' | 'seed'>

/** Notes how long it took, unless it was skipped. */
export async function recorded(
  results: Results,
  options: SeedOptions,
  part: Part,
  work: (progress: (message: string) => void) => Promise<'done' | 'skipped'>,
): Promise<void> {
  const [started, before] = [performance.now(), process.cpuUsage()]
  const seconds = (): number => (performance.now() - started) / 1000
  const name = part.section === part.part ? part.section : `${part.section}/${part.part}`
  const outcome = await work((message) =>
    console.error(`${name}, seed ${part.seed}, ${seconds().toFixed(0)} s: ${message}`),
  )
  if (outcome === 'skipped') return
  const { user, system } = process.cpuUsage(before)
  results.runs.push({
    ...part,
    seconds: seconds(),
    processorSeconds: (user + system) / 1e6,
    at: new Date().toISOString(),
    machine: machine(),
    versions: { entente: version, Node: process.version },
  })
  save(results, options)
}
