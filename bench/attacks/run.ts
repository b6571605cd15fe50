/**
 * `npm run bench:attacks [-- --only robustness,detection,inversion,membership,property,audit] [--seeds 5] [--first 1] [--json FILE]
 * [--from FILE,FILE] [--write]`: what attacks on a federation achieve, with mean and spread over seeds. `--from` shows the
 * figures of earlier runs; `--write` puts the tables into docs/reference/attacks.md.
 */

import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { loadKernels } from '../../src/node/kernels.ts'
import { recorded, resultsOf, SEED_OPTIONS } from '../models/recording.ts'
import { type Results, sheetOf } from '../models/results.ts'
import { printed, writeInto } from './page.ts'
import { SECTIONS } from './sections.ts'

const { values } = parseArgs({
  options: { ...SEED_OPTIONS, only: { type: 'string', default: Object.keys(SECTIONS).join(',') } },
})

async function runSection(results: Results, name: string, seed: string): Promise<void> {
  const section = SECTIONS[name]
  if (section === undefined) throw new Error(`--only takes a list of ${Object.keys(SECTIONS).join(', ')}`)
  await recorded(results, values, { section: name, part: name, model: 'mlp', seed }, async (progress) => {
    await section({ seed, kernels: loadKernels(), sheet: sheetOf(results, seed), tiny: values.tiny, progress })
    return 'done'
  })
}

const results = await resultsOf(values, async (seed, into) => {
  for (const name of values.only.split(',')) await runSection(into, name, seed)
})

console.log(printed(results))
if (values.write) {
  const page = fileURLToPath(new URL('../../docs/reference/attacks.md', import.meta.url))
  writeFileSync(page, writeInto(readFileSync(page, 'utf8'), results))
  console.log('written to docs/reference/attacks.md')
}
