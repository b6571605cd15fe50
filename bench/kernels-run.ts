/** `node bench/kernels-run.ts [--runs 15] [--seed 42]`: the tables of the kernels alone, printed. */

import { parseArgs } from 'node:util'
import { benchKernels } from './kernels.ts'
import { currentLoad, printed } from './report.ts'

const { values } = parseArgs({
  options: { runs: { type: 'string', default: '15' }, seed: { type: 'string', default: '42' } },
})
console.log(`load before: ${currentLoad().toFixed(1)}`)
for (const section of await benchKernels(values.seed, Number(values.runs))) console.log(printed(section))
