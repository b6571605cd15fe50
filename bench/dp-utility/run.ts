/**
 * `node bench/dp-utility/run.ts [--seed 42] [--data CAPTURE] [--model tgnn,mlp] [--epsilon 1,2,4,8,inf] [--sets DIR]
 * [--config JSON]`: what privacy of single rows costs. Federations of five organisations with the product's default
 * configuration at each epsilon, scored on the later traffic of all of them, beside the counter baseline; `inf` is the
 * default training without privacy. `--config` overrides fields, `--sets` keeps the data sets for the next run.
 */

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { parseTrainingConfig, type TrainingConfig } from '../../src/learning/config.ts'
import type { Metrics } from '../../src/models/later-slice.ts'
import { trainingDefaults, type ThreatModelKind } from '../../src/node/default-model.ts'
import { federate, score } from './federation.ts'
import { sitesOf } from './sites.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '42' },
    data: { type: 'string' },
    model: { type: 'string', default: 'tgnn,mlp' },
    epsilon: { type: 'string', default: '1,2,4,8,inf' },
    sets: { type: 'string' },
    config: { type: 'string', default: '{}' },
  },
})

const figure = (value: number | null): string => (value === null ? '-' : value.toFixed(3)).padStart(6)

function line(name: string, { stealthyAuc, stealthyAp, unique }: Metrics, rest: string): void {
  const figures = [stealthyAuc, stealthyAp, unique.stealthyAuc, unique.stealthyAp, unique.othersRecall].map(figure)
  console.log(`${name.padEnd(16)} ${figures.join('  ')}  ${rest}`)
}

/** The default training of a model at this epsilon; null = without privacy. */
function configAt(kind: ThreatModelKind, epsilon: number | null): TrainingConfig {
  const defaults = trainingDefaults(kind, { privacy: epsilon === null ? null : { unit: 'example', epsilon } })
  const overrides = JSON.parse(values.config) as { local?: object; privacy?: object }
  const merged = {
    ...defaults,
    ...overrides,
    local: { ...defaults.local, ...(epsilon === null ? {} : overrides.local) },
    privacy: defaults.privacy === null ? null : { ...defaults.privacy, ...overrides.privacy },
  }
  return parseTrainingConfig({ seed: values.seed, ...merged })
}

const directory = values.sets ?? mkdtempSync(join(tmpdir(), 'entente-dp-utility-'))
mkdirSync(directory, { recursive: true })
const { sites } = await sitesOf(directory, values.seed, values.data)
console.log(`${''.padEnd(16)}  s.auc   s.ap  unique  s.ap  others`)
let counted = false
for (const kind of values.model.split(',') as ThreatModelKind[])
  for (const epsilon of values.epsilon.split(',')) {
    const config = configAt(kind, epsilon === 'inf' ? null : Number(epsilon))
    const federated = await federate(config, sites, `${values.seed}/${kind}/${epsilon}`)
    const metrics = await score(federated, sites)
    if (!counted) line('counter', metrics.counter, '')
    counted = true
    const { noiseMultiplier, clips, examples, seconds, rows } = federated
    const noise = noiseMultiplier === null ? '' : `noise ${noiseMultiplier.toFixed(2)}, `
    const clipped = clips[0] === null ? '' : `clips ${clips.map((clip) => clip?.toPrecision(3)).join(' ')}, `
    const speed = `${(examples / seconds / 1000).toFixed(1)}k rows/s, ${seconds.toFixed(0)} s of processor time`
    line(
      `${kind} ${epsilon}`,
      metrics.model,
      `${noise}${clipped}${speed}, rows ${rows.map((one) => one.join('/')).join(' ')}`,
    )
  }
if (values.sets === undefined) rmSync(directory, { recursive: true })
