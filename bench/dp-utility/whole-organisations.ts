/**
 * `node bench/dp-utility/whole-organisations.ts [--organisations 5,20,100] [--epsilon 8] [--rounds 8] [--hidden 64,64] [--clip 1]
 * [--interactions 400] [--seeds 42]`: what a perceptron knows that was trained with the noise of whole organisations, by
 * mechanism, beside the same training without noise and the counter that needs no training. Traffic of the generator, of which each
 * organisation has the labels of its own part.
 */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { parseTrainingConfig, type TrainingConfig } from '../../src/learning/config.ts'
import { isSharedMechanism, MECHANISMS } from '../../src/learning/mechanisms.ts'
import { noiseOverClip } from '../../src/learning/organisation-privacy.ts'
import type { Metrics } from '../../src/models/later-slice.ts'
import { DEFAULT_MLP, trainingDefaults } from '../../src/node/default-model.ts'
import { federate, score } from './federation.ts'
import { sitesOf } from './sites.ts'

const { values } = parseArgs({
  options: {
    organisations: { type: 'string', default: '5,20,100' },
    epsilon: { type: 'string', default: '8' },
    rounds: { type: 'string', default: '8' },
    hidden: { type: 'string', default: '64,64' },
    clip: { type: 'string', default: '1' },
    interactions: { type: 'string', default: '400' },
    seeds: { type: 'string', default: '42' },
  },
})
const numbers = (text: string): number[] => text.split(',').map(Number)
const [rounds, clip, interactionsPerSite] = [Number(values.rounds), Number(values.clip), Number(values.interactions)]
const model = { ...DEFAULT_MLP, hidden: numbers(values.hidden) }

function configOf(mechanism: string | null, organisations: number, epsilon: number, seed: string): TrainingConfig {
  const invited = isSharedMechanism(mechanism) ? { invitedMin: Math.min(organisations, 150) } : {}
  const privacy =
    mechanism === null ? null : { unit: 'organisation', mechanism, epsilon, delta: 1e-5, clip, ...invited }
  const { model: _, ...defaults } = trainingDefaults('mlp', { privacy: null })
  return parseTrainingConfig(
    { ...defaults, seed, rounds, privacy, ...(privacy === null ? { clipNorm: clip } : {}) },
    model,
  )
}

const figure = (value: number | null): string => (value === null ? '-' : value.toFixed(3)).padStart(7)

function line(name: string, { stealthyAuc, stealthyAp, unique }: Metrics, ratio: number | null): void {
  const figures = [stealthyAuc, stealthyAp, unique.stealthyAp].map(figure).join(' ')
  console.log(`${name.padEnd(58)} ${figures}  ${ratio === null ? '' : ratio.toPrecision(3)}`)
}

console.log(`${''.padEnd(58)}   s.auc    s.ap unique.ap noise/clip`)
for (const seed of values.seeds.split(','))
  for (const organisations of numbers(values.organisations)) {
    const directory = mkdtempSync(join(tmpdir(), 'entente-whole-'))
    const { sites } = await sitesOf(directory, seed, undefined, {
      organisations,
      interactionsPerSite,
      labels: 'all',
    })
    let counted = false
    for (const epsilon of numbers(values.epsilon))
      for (const mechanism of [null, ...MECHANISMS]) {
        if (mechanism === null && counted) continue
        const config = configOf(mechanism, organisations, epsilon, seed)
        const federated = await federate(config, sites, `${seed}/${organisations}/${mechanism ?? ''}/${epsilon}`)
        const metrics = await score(federated, sites)
        const name = `seed ${seed}, ${organisations} organisations, `
        if (!counted) line(`${name}counter`, metrics.counter, null)
        counted = true
        const ratio = noiseOverClip(config, federated.model.parameterCount, organisations)
        line(`${name}${mechanism === null ? 'no noise' : `${mechanism} ${epsilon}`}`, metrics.model, ratio)
      }
    rmSync(directory, { recursive: true })
  }
