/**
 * `npm run bench:attacks [-- --only robustness,detection,inversion,membership,property,audit] [--seeds 5] [--first 1] [--json FILE]
 * [--from FILE,FILE] [--write]`: what attacks on a federation achieve, with mean and spread over seeds. `--from` shows the
 * figures of earlier runs; `--write` puts the tables into docs/reference/attacks.md.
 */

import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { loadKernels } from '../../src/node/kernels.ts'
import { machine } from '../models/page.ts'
import { createResults, merge, type Results, sheetOf } from '../models/results.ts'
import { printed, writeInto } from './page.ts'
import { SECTIONS } from './sections.ts'

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: Object.keys(SECTIONS).join(',') },
    seeds: { type: 'string', default: '5' },
    first: { type: 'string', default: '1' },
    json: { type: 'string' },
    from: { type: 'string' },
    write: { type: 'boolean', default: false },
    tiny: { type: 'boolean', default: false },
  },
})

function wholeNumber(name: 'seeds' | 'first'): number {
  const value = Number(values[name])
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} takes a positive whole number`)
  return value
}

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string
}
const versions = { entente: version, Node: process.version }

async function measure(): Promise<Results> {
  const results = createResults()
  const [first, count] = [wholeNumber('first'), wholeNumber('seeds')]
  for (let seed = first; seed < first + count; seed++)
    for (const name of values.only.split(',')) await runSection(results, name, String(seed))
  return results
}

async function runSection(results: Results, name: string, seed: string): Promise<void> {
  const section = SECTIONS[name]
  if (section === undefined) throw new Error(`--only takes a list of ${Object.keys(SECTIONS).join(', ')}`)
  const [started, before] = [performance.now(), processorSeconds()]
  const seconds = (): number => (performance.now() - started) / 1000
  await section({
    seed,
    kernels: loadKernels(),
    sheet: sheetOf(results, seed),
    tiny: values.tiny,
    progress: (message) => console.error(`${name}, seed ${seed}, ${seconds().toFixed(0)} s: ${message}`),
  })
  results.runs.push({
    section: name,
    part: name,
    model: 'mlp',
    seed,
    seconds: seconds(),
    processorSeconds: processorSeconds() - before,
    at: new Date().toISOString(),
    machine: machine(),
    versions,
  })
  save(results)
}

function processorSeconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

/** After every seed, so that a run that is stopped has not run for nothing. */
function save(results: Results): void {
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(results)}\n`)
}

const results =
  values.from === undefined
    ? await measure()
    : merge(values.from.split(',').map((file) => JSON.parse(readFileSync(file, 'utf8')) as Results))

console.log(printed(results))
if (values.from !== undefined) save(results)
if (values.write) {
  const page = fileURLToPath(new URL('../../docs/reference/attacks.md', import.meta.url))
  writeFileSync(page, writeInto(readFileSync(page, 'utf8'), results))
  console.log('written to docs/reference/attacks.md')
}
