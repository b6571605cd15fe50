/**
 * `npm run bench:peers [-- --parameters 1000000] [--runs 5]`: secure aggregation and robust rules beside Flower and ByzFL,
 * in one run on this machine. Writes results.json and results.md beside this file. Without the peers, ours alone.
 */

import { writeFileSync } from 'node:fs'
import { arch, cpus, release, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { installVenv } from '../python-venv.ts'
import { currentLoad } from '../report.ts'
import { missedOf, page } from './page.ts'
import { phaseTable } from './phases.ts'
import type { Results } from './results.ts'
import { robustRules } from './robust.ts'
import { besideFlower } from './secagg.ts'
import { PEERS_VENV, peerVersions } from './venv.ts'

const { values } = parseArgs({
  options: { parameters: { type: 'string', default: '1000000' }, runs: { type: 'string', default: '5' } },
})
const [parameters, runs] = [Number(values.parameters), Number(values.runs)]

const installed = installVenv(PEERS_VENV)
const python = 'python' in installed ? installed.python : undefined
const skipped = 'why' in installed ? installed.why : null
if (skipped !== null) console.error(`Flower and ByzFL are skipped: ${skipped}.`)

const load = currentLoad()
const since = performance.now()
const say = <T>(what: string, value: T): T => {
  console.log(`${((performance.now() - since) / 1000).toFixed(0).padStart(4)} s  ${what}`)
  return value
}

const many = say(
  'n=100 d=1M beside Flower',
  await besideFlower('100-1m', python, { ours: runs, client: runs, server: 3 }),
)
// Flower takes minutes: once has to do.
const all = say(
  'n=100 d=100k, all shares',
  await besideFlower('100-100k', python, { ours: runs, client: 3, server: 1 }),
)
const own = say('n=100, own policy', await phaseTable('100-1m-own', runs))
const thousand = say('n=1000', await phaseTable('1000-100k', Math.min(runs, 3)))
const robust = say('robust rules', await robustRules(python, parameters, Math.min(runs, 3)))

const results: Results = {
  at: new Date().toISOString(),
  machine: `${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${cpus().length} threads, ${(totalmem() / 2 ** 30).toFixed(0)} GiB, ${process.platform} ${release()} ${arch()}`,
  load: [load, currentLoad()],
  versions: {
    Node: process.version,
    OpenSSL: process.versions.openssl ?? '',
    ...(python === undefined ? {} : peerVersions(python)),
  },
  seeds: 'bench (secure aggregation), 1 (Flower), AES-CTR under fixed keys (vectors of the robust rules)',
  secagg: [all.section, many.section],
  floors: [...all.floors, ...many.floors],
  phases: [own, thousand],
  robust,
  seconds: (performance.now() - since) / 1000,
  skipped,
}
const beside = (name: string): string => fileURLToPath(new URL(name, import.meta.url))
writeFileSync(beside('results.json'), `${JSON.stringify(results, null, 1)}\n`)
writeFileSync(beside('results.md'), page(results))
for (const line of missedOf(results)) console.log(`missed: ${line}`)
console.log('written to bench/peers/results.md')
