import { afterAll, expect, it } from 'vitest'
import { parseTrainingConfig } from '../../src/learning/config.ts'
import { setConfigValue } from '../../src/node/config-edit.ts'
import { THREADS_FROM } from '../../src/node/hub/robust-kernels.ts'
import { createModel } from '../../src/models/model.ts'
import { loadKernels } from '../kernels.ts'
import { CONFIG, startFederation, type TestFederation } from './federation.ts'
import { outcomeOf } from './outcome.ts'

let federation: TestFederation | undefined
afterAll(() => federation?.close())

/** Wide enough that three updates are worth a second thread. */
const LARGE = parseTrainingConfig({
  ...CONFIG,
  model: { ...CONFIG.model, hidden: [4096, 320] },
  local: { ...CONFIG.local, batchSize: 100, rowsMax: 100 },
  robust: { rule: 'trimmed-mean', f: 1 },
  rounds: 1,
})

it('a hub process computes a robust rule on two threads and on one, and seals the same model', async () => {
  expect(3 * createModel(LARGE.model, loadKernels()).parameterCount).toBeGreaterThan(THREADS_FROM)
  const running = (federation = await startFederation())
  const outcomes = []
  for (const threads of [2, 1]) {
    await running.kill('hub')
    await setConfigValue(running.hubDirectory, ['aggregationThreads'], threads)
    await running.start('hub')
    await running.startTraining(`threads-${threads}`, LARGE)
    await running.finish(`threads-${threads}`)
    outcomes.push(await outcomeOf(running, `threads-${threads}`))
  }
  const [two, one] = outcomes
  expect(two).toMatchObject({ verified: true, sameOnAllNodes: true })
  expect(one).toEqual({ ...two, counted: expect.anything() })
}, 120_000)
