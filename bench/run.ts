/** `npm run bench [-- --only kernels,ledger] [--quick]`: prints each table as it is done; all of them make bench/results.md. */

import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { numpyVersion } from './numpy.ts'
import { currentLoad, page, printed, type Section } from './report.ts'
import { SECTIONS, sectionsOf } from './sections.ts'

const HELP = `npm run bench [-- OPTIONS]

Measures every section on this machine and writes bench/results.md anew. Needs a quiet machine, about ten minutes
and 8 GB of free disk.

  --only LIST   of ${Object.keys(SECTIONS).join(', ')}: prints these, writes nothing
  --quick       a rehearsal: one run of everything but large, writes nothing
  --runs N      runs of each contender (default: 7; sections that take long: at most 5)
  --seed TEXT   of made-up data (default: 42)
  --help        this text`

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    quick: { type: 'boolean', default: false },
    runs: { type: 'string', default: '7' },
    seed: { type: 'string', default: '42' },
    help: { type: 'boolean', default: false },
  },
})

async function main(): Promise<void> {
  if (values.help) return console.log(HELP)
  const runs = values.quick ? 1 : Number(values.runs)
  if (!Number.isInteger(runs) || runs < 1) throw new Error('--runs takes a positive whole number')
  const load = currentLoad()
  const sections = await measure(sectionsOf(values.only, values.quick), runs)
  // Half a page would pass for a whole one.
  if (values.only !== undefined || values.quick) return console.log('\nbench/results.md is as it was')
  writeFileSync(
    fileURLToPath(new URL('results.md', import.meta.url)),
    page(sections, await versions(), load, new Date()),
  )
  console.log('\nwritten to bench/results.md')
}

async function measure(names: readonly string[], runs: number): Promise<Section[]> {
  const sections: Section[] = []
  for (const name of names) {
    const started = performance.now()
    for (const section of [await SECTIONS[name]?.({ seed: values.seed, runs })].flat())
      if (section !== undefined) {
        console.log(printed(section))
        sections.push(section)
      }
    console.error(`${name}: ${((performance.now() - started) / 1000).toFixed(0)} s`)
  }
  return sections
}

async function versions(): Promise<Readonly<Record<string, string>>> {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  const { version: node, versions: of } = process
  return { entente: version, Node: node, V8: of.v8, NumPy: (await numpyVersion()) ?? 'none' }
}

await main()
