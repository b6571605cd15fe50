/** `npm run bench [-- --runs 7] [--seed 42] [--no-large]`: prints each table as it is done, and writes bench/results.md. */

import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { benchAggregation } from './aggregation.ts'
import { benchDetect } from './detect.ts'
import { benchIngest } from './ingest.ts'
import { benchKernels } from './kernels.ts'
import { benchLarge } from './large.ts'
import { benchLedger } from './ledger.ts'
import { numpyVersion } from './numpy.ts'
import { currentLoad, page, printed, type Section } from './report.ts'
import { benchUpload } from './upload.ts'

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '7' },
    seed: { type: 'string', default: '42' },
    'no-large': { type: 'boolean', default: false },
  },
})
const runs = Number(values.runs)
if (!Number.isInteger(runs) || runs < 1) throw new Error('--runs takes a positive whole number')

const benches: (() => Promise<Section | Section[]>)[] = [
  () => benchKernels(values.seed, runs),
  () => benchAggregation(values.seed, runs),
  ...(values['no-large'] ? [] : [() => benchLarge(values.seed)]),
  () => benchLedger(runs),
  () => benchIngest(values.seed, Math.min(runs, 5)),
  () => benchDetect(values.seed, Math.min(runs, 5)),
  () => benchUpload(values.seed, Math.min(runs, 5)),
]

const load = currentLoad()
const sections: Section[] = []
for (const bench of benches) {
  for (const section of [await bench()].flat()) {
    console.log(printed(section))
    sections.push(section)
  }
}

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
const versions = {
  entente: version,
  Node: process.version,
  V8: process.versions.v8,
  NumPy: (await numpyVersion()) ?? 'none',
}
writeFileSync(fileURLToPath(new URL('results.md', import.meta.url)), page(sections, versions, load, new Date()))
console.log('\nwritten to bench/results.md')
