/**
 * `node bench/dp-utility/shared-noise.ts [--parameters 6000] [--rounds 8] [--epsilon 8,2]`: what noise for whole organisations
 * leaves of a model when each adds all of it, and when they share it under secure aggregation. Norm of the noise in the mean
 * of a round over the clip, drawn and added up as nodes do, beside what the plan says (`noiseOverClip`); all organisations
 * survive. `trusted` is what a hub that everybody trusted would add by itself.
 */

import { randomBytes } from 'node:crypto'
import { parseArgs } from 'node:util'
import { parseTrainingConfig, type TrainingConfig } from '../../src/learning/config.ts'
import { isSharedMechanism, lawOf, MECHANISMS } from '../../src/learning/mechanisms.ts'
import { isCentral, noiseOf, noiseOverClip } from '../../src/learning/organisation-privacy.ts'
import { addNoise } from '../../src/privacy/dp/grid.ts'
import { noiseTable } from '../../src/node/private-randomness.ts'

const { values } = parseArgs({
  options: {
    parameters: { type: 'string', default: '6000' },
    rounds: { type: 'string', default: '8' },
    epsilon: { type: 'string', default: '8,2' },
  },
})
const [parameters, rounds] = [Number(values.parameters), Number(values.rounds)]

function configOf(mechanism: string, organisations: number, epsilon: number): TrainingConfig {
  const shared = isSharedMechanism(mechanism) ? { invitedMin: organisations } : {}
  const privacy = { unit: 'organisation', mechanism, epsilon, delta: 1e-5, clip: 1, ...shared }
  const model = { kind: 'mlp', inputs: 2, hidden: [3] } as const
  return parseTrainingConfig({ privacy, rounds }, model)
}

/** Of one round, with bytes of the operating system's generator. */
function drawn(config: TrainingConfig, organisations: number): number {
  const noise = noiseOf(config)
  if (noise === null || config.privacy === null) return Number.NaN
  const [sum, one] = [new Int32Array(parameters), new Int32Array(parameters)]
  for (let i = 0; i < (isCentral(config.privacy) ? 1 : organisations); i++) {
    noiseTable(noise.deviation, lawOf(noise.mechanism)).draw(one, (length) => new Uint8Array(randomBytes(length)))
    addNoise(sum, one)
  }
  const norm = Math.sqrt(sum.reduce((total, steps) => total + steps * steps, 0))
  return (norm * 2 ** noise.exponent) / organisations / config.privacy.clip
}

const figure = (value: number): string => value.toPrecision(3).padStart(8)

console.log('epsilon  organisations  mechanism                      honest survivors  planned    drawn')
for (const epsilon of values.epsilon.split(',').map(Number))
  for (const organisations of [5, 10, 20, 50, 100, 150])
    for (const mechanism of MECHANISMS) {
      const config = configOf(mechanism, organisations, epsilon)
      const planned = noiseOverClip(config, parameters, organisations) ?? Number.NaN
      const survivors = String(noiseOf(config)?.survivorsMin ?? '-').padStart(16)
      const head = `${String(epsilon).padStart(7)}  ${String(organisations).padStart(13)}  ${mechanism.padEnd(29)}`
      console.log(`${head}  ${survivors} ${figure(planned)} ${figure(drawn(config, organisations))}`)
    }
