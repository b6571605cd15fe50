/**
 * `npm run bench:models [-- --only darpa,darpa/early,nsl-kdd,fedprox,links,policy] [--seeds 5] [--first 1] [--model mlp|tgnn]
 * [--cache DIR] [--json FILE] [--from FILE,FILE] [--write]`: accuracy of the models, with mean and spread over seeds.
 * `--from` shows the figures of earlier runs instead of measuring; `--write` puts the tables into docs/benchmarks.md.
 */

import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { MODEL_KINDS, type ThreatModelKind } from '../../src/node/default-model.ts'
import { loadKernels } from '../../src/node/kernels.ts'
import { sharedPath } from '../../test/shared.ts'
import { machine, printedTable, provenance, writeInto } from './page.ts'
import { createResults, merge, type Results, sheetOf, tablesOf } from './results.ts'
import { type Part, partsOf, SECTIONS, sectionOf } from './sections.ts'

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: Object.keys(SECTIONS).join(',') },
    seeds: { type: 'string', default: '5' },
    first: { type: 'string', default: '1' },
    model: { type: 'string', default: 'mlp' },
    cache: { type: 'string' },
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

function modelKind(): ThreatModelKind {
  const kind = MODEL_KINDS.find((name) => name === values.model)
  if (kind === undefined) throw new Error(`--model takes one of ${MODEL_KINDS.join(', ')}`)
  return kind
}

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string
}
const versions = { entente: version, Node: process.version }

async function measure(): Promise<Results> {
  const results = createResults()
  const cache = values.cache ?? mkdtempSync(join(tmpdir(), 'entente-bench-models-'))
  mkdirSync(cache, { recursive: true })
  try {
    const parts = partsOf(values.only)
    const [first, count] = [wholeNumber('first'), wholeNumber('seeds')]
    for (let seed = first; seed < first + count; seed++)
      for (const part of parts) await runPart(results, part, String(seed), cache)
  } finally {
    if (values.cache === undefined) rmSync(cache, { recursive: true })
  }
  return results
}

async function runPart(results: Results, part: Part, seed: string, cache: string): Promise<void> {
  const { section, name } = part
  const started = performance.now()
  const before = processorSeconds()
  const seconds = (): number => (performance.now() - started) / 1000
  let skipped = false
  await part.run({
    seed,
    model: modelKind(),
    kernels: loadKernels(),
    cache,
    sheet: sheetOf(results, seed),
    tiny: values.tiny,
    shared: (path) => sharedPath(path),
    progress: (message) => console.error(`${section}/${name}, seed ${seed}, ${seconds().toFixed(0)} s: ${message}`),
    skip: (why) => {
      skipped = true
      console.error(`${section}/${name} is skipped: ${why}`)
    },
  })
  if (skipped) return
  const at = new Date().toISOString()
  const run = {
    section,
    part: name,
    model: values.model,
    seed,
    seconds: seconds(),
    processorSeconds: processorSeconds() - before,
    at,
    machine: machine(),
    versions,
  }
  results.runs.push(run)
  save(results)
}

function processorSeconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

/** After every section of every seed, so that a run that is stopped has not run for nothing. */
function save(results: Results): void {
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(results)}\n`)
}

const results =
  values.from === undefined
    ? await measure()
    : merge(values.from.split(',').map((file) => JSON.parse(readFileSync(file, 'utf8')) as Results))

for (const table of tablesOf(results)) console.log(printedTable(table))
console.log('')
for (const line of provenance(results.runs)) console.log(line)
if (values.from !== undefined) save(results)
if (values.write) {
  const page = fileURLToPath(new URL('../../docs/benchmarks.md', import.meta.url))
  if (!existsSync(page)) throw new Error('docs/benchmarks.md is not there')
  writeFileSync(page, writeInto(readFileSync(page, 'utf8'), results, sectionOf))
  console.log('\nwritten to docs/benchmarks.md')
}
