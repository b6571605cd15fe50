/**
 * `node bench/sparsify.ts [--seeds 42,43,44] [--epsilon inf] [--rounds 16] [--fractions 0.1,0.01] [--sets DIR]`: what it costs
 * to send a part of each update. Federations of five organisations of the traffic generator with the perceptron of the
 * product's defaults, scored on the later traffic of all of them: every coordinate, the largest, and those that a round
 * draws, with and without error feedback. `--sets` keeps the data sets for the next run.
 */

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { parseTrainingConfig } from '../src/learning/config.ts'
import type { SparsifyConfig } from '../src/learning/sparsify.ts'
import { trainingDefaults } from '../src/node/default-model.ts'
import { federate, score } from './dp-utility/federation.ts'
import { sitesOf } from './dp-utility/sites.ts'

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '42,43,44' },
    epsilon: { type: 'string', default: 'inf' },
    rounds: { type: 'string', default: '16' },
    fractions: { type: 'string', default: '0.1,0.01' },
    sets: { type: 'string' },
  },
})

const METHODS: readonly SparsifyConfig['method'][] = ['top-k', 'random-k']
const directory = values.sets ?? mkdtempSync(join(tmpdir(), 'entente-sparsify-'))
const epsilon = values.epsilon === 'inf' ? null : Number(values.epsilon)

function variants(): readonly (SparsifyConfig | null)[] {
  const sparse = values.fractions
    .split(',')
    .flatMap((fraction) =>
      METHODS.flatMap((method) =>
        [true, false].map((errorFeedback) => ({ method, fraction: Number(fraction), errorFeedback })),
      ),
    )
  return [null, ...sparse]
}

const nameOf = (sparsify: SparsifyConfig | null): string =>
  sparsify === null
    ? 'all coordinates'
    : `${sparsify.method} ${sparsify.fraction}${sparsify.errorFeedback ? '' : ', no feedback'}`

const figure = (value: number | null): string => (value === null ? '-' : value.toFixed(3)).padStart(6)

console.log(`${''.padEnd(34)}  s.auc   s.ap  unique  s.ap  others`)
for (const seed of values.seeds.split(',')) {
  const of = join(directory, seed)
  mkdirSync(of, { recursive: true })
  const { sites } = await sitesOf(of, seed, undefined)
  const { privacy, ...defaults } = trainingDefaults('mlp', {
    privacy: epsilon === null ? null : { unit: 'example', epsilon },
  })
  for (const sparsify of variants()) {
    const asked = { ...defaults, privacy, seed, rounds: Number(values.rounds), sparsify }
    const { model } = await score(await federate(parseTrainingConfig(asked), sites, `${seed}/sparsify`), sites)
    const { stealthyAuc, stealthyAp, unique } = model
    const figures = [stealthyAuc, stealthyAp, unique.stealthyAuc, unique.stealthyAp, unique.othersRecall].map(figure)
    console.log(`${`${seed} ${nameOf(sparsify)}`.padEnd(34)} ${figures.join('  ')}`)
  }
}
if (values.sets === undefined) rmSync(directory, { recursive: true })
