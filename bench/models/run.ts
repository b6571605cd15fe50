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
import { printedTable, provenance, writeInto } from './page.ts'
import { recorded, resultsOf, SEED_OPTIONS } from './recording.ts'
import { type Results, sheetOf, tablesOf } from './results.ts'
import { type Part, partsOf, SECTIONS, sectionOf } from './sections.ts'

const { values } = parseArgs({
  options: {
    ...SEED_OPTIONS,
    only: { type: 'string', default: Object.keys(SECTIONS).join(',') },
    model: { type: 'string', default: 'mlp' },
    cache: { type: 'string' },
  },
})

function modelKind(): ThreatModelKind {
  const kind = MODEL_KINDS.find((name) => name === values.model)
  if (kind === undefined) throw new Error(`--model takes one of ${MODEL_KINDS.join(', ')}`)
  return kind
}

async function runPart(results: Results, { section, name, run }: Part, seed: string, cache: string): Promise<void> {
  await recorded(results, values, { section, part: name, model: values.model, seed }, async (progress) => {
    let outcome: 'done' | 'skipped' = 'done'
    await run({
      seed,
      model: modelKind(),
      kernels: loadKernels(),
      cache,
      sheet: sheetOf(results, seed),
      tiny: values.tiny,
      shared: (path) => sharedPath(path),
      progress,
      skip: (why) => {
        outcome = 'skipped'
        console.error(`${section}/${name} is skipped: ${why}`)
      },
    })
    return outcome
  })
}

async function measured(): Promise<Results> {
  const parts = partsOf(values.only)
  const cache = values.cache ?? mkdtempSync(join(tmpdir(), 'entente-bench-models-'))
  mkdirSync(cache, { recursive: true })
  try {
    return await resultsOf(values, async (seed, results) => {
      for (const part of parts) await runPart(results, part, seed, cache)
    })
  } finally {
    if (values.cache === undefined) rmSync(cache, { recursive: true })
  }
}

const results = await measured()
for (const table of tablesOf(results)) console.log(printedTable(table))
console.log('')
for (const line of provenance(results.runs)) console.log(line)
if (values.write) {
  const page = fileURLToPath(new URL('../../docs/benchmarks.md', import.meta.url))
  if (!existsSync(page)) throw new Error('docs/benchmarks.md is not there')
  writeFileSync(page, writeInto(readFileSync(page, 'utf8'), results, sectionOf))
  console.log('\nwritten to docs/benchmarks.md')
}
