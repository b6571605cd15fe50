import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, expect, it } from 'vitest'
import type { RoundView } from '../../src/node/views.ts'
import { HIDDEN, startFederation, type TestFederation } from './federation.ts'
import { closeGate } from './gate.ts'

let federation: TestFederation | undefined
afterAll(() => federation?.close())

/** Validators speak after the round is done. */
async function judged({ operator }: TestFederation, round: string): Promise<RoundView> {
  for (const end = performance.now() + 60_000; performance.now() < end; await sleep(100)) {
    const view = await operator.round(round)
    if (view.metrics?.validators === 3) return view
  }
  throw new Error(`no three validators: ${JSON.stringify(await operator.round(round))}`)
}

it('organisations try each new model on later traffic of theirs and say how it did, once, though one is killed over it', async () => {
  const running = (federation = await startFederation({ interactionsPerSite: 6000 }))
  const [name = ''] = running.organisations
  const gate = await closeGate(running.databaseUrl(name), {
    stream: 'privacy-budget',
    event: 'spend',
    containing: 'tried-1/validation',
  })
  await running.startTraining('tried', { ...HIDDEN, local: { ...HIDDEN.local, learningRate: 0.02 } })
  await gate.reached()
  await running.kill(name)
  await gate.open()
  await running.start(name)
  await running.finish('tried')
  const { metrics } = await judged(running, 'tried-1')
  expect(metrics).toMatchObject({ validators: 3, worse: 0, byzantine_detection_triggered: false })
  // From a model that knows nothing every organisation gains.
  expect(metrics?.aggregation_quality).toBeGreaterThan(0.1)
  await judged(running, 'tried-2')
}, 180_000)
