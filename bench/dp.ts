/**
 * `node bench/dp.ts [--runs 9]`: differential privacy on one thread. Discrete Gaussian draws a second, by table and exactly,
 * beside the random bytes alone that they need; and the accountants on 30,000 steps.
 */

import { randomBytes } from 'node:crypto'
import { parseArgs } from 'node:util'
import { epsilonOf } from '../src/privacy/dp/accountant.ts'
import { uniformSource } from '../src/privacy/dp/bits.ts'
import { discreteGaussian } from '../src/privacy/dp/exact.ts'
import { createNoiseTable } from '../src/privacy/dp/table.ts'
import { sideBySide } from './measure.ts'
import { duration, printed, rate, type Section } from './report.ts'

const DRAWS = 1_000_000
const EXACT_DRAWS = 20_000
const STEPS = 30_000

const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length))
const whole = (deviation: number) => ({ numerator: BigInt(deviation) ** 2n, denominator: 1n })

function drawExactly(deviation: number): void {
  const source = uniformSource(random)
  for (let i = 0; i < EXACT_DRAWS; i++) discreteGaussian(source, whole(deviation))
  source.wipe()
}

export async function benchDifferentialPrivacy(runs: number): Promise<Section> {
  const out = new Int32Array(DRAWS)
  const tables = { small: createNoiseTable(whole(4)), large: createNoiseTable(whole(1000)) }
  const mechanism = { samplingRate: 0.001, noiseMultiplier: 1, steps: STEPS }
  const timings = await sideBySide(
    {
      small: () => tables.small.draw(out, random),
      large: () => tables.large.draw(out, random),
      exact: () => drawExactly(1000),
      bytes: () => {
        for (let i = 0; i < DRAWS * 4; i += 65_536) random(65_536)
      },
      making: () => createNoiseTable(whole(1000)),
      // A number would be taken for milliseconds.
      rdp: () => String(epsilonOf([mechanism], 1e-7, 'rdp')),
      pld: () => String(epsilonOf([mechanism], 1e-7, 'pld')),
    },
    runs,
  )
  const millions = DRAWS / 1e6
  const { small, large, exact, bytes, making, rdp, pld } = timings
  return {
    title: 'Differential privacy',
    setting: `${DRAWS} draws at a time, bytes of the operating system's generator; ${STEPS} steps at q = 0.001, sigma = 1; one thread`,
    rows: [
      rate('discrete Gaussian by table, deviation 4', millions, 'M draws', small),
      rate('discrete Gaussian by table, deviation 1000', millions, 'M draws', large),
      rate('discrete Gaussian, exact (Algorithm 3), deviation 1000', EXACT_DRAWS / 1e6, 'M draws', exact),
      rate('random bytes alone, 4 a draw', millions, 'M draws', bytes, 'the floor of a draw'),
      duration('making the table of deviation 1000', making, 'once a training'),
      duration('accountant: Renyi curve and epsilon', rdp),
      duration('accountant: loss distribution and epsilon', pld),
    ],
  }
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { runs: { type: 'string', default: '9' } } })
  console.log(printed(await benchDifferentialPrivacy(Number(values.runs))))
}
