import { afterAll, expect, it } from 'vitest'
import { startFederation, type TestFederation } from './federation.ts'
import { closeGate } from './gate.ts'
import { forgetBlobs, outcomeOf } from './outcome.ts'

let federation: TestFederation | undefined

// After a test that ran out of time, too.
afterAll(() => federation?.close())

it('a hub killed while it aggregates finishes the round with the very model of an undisturbed run', async () => {
  const running = (federation = await startFederation())
  await running.startTraining('undisturbed')
  await running.finish('undisturbed')
  const undisturbed = await outcomeOf(running, 'undisturbed')
  await forgetBlobs(running)

  const gate = await closeGate(running.hubDatabaseUrl, { stream: 'round/killed-1', event: 'aggregated' })
  await running.startTraining('killed')
  await gate.reached()
  await running.kill('hub')
  await gate.open()
  await running.start('hub')
  await running.finish('killed')
  expect(undisturbed).toMatchObject({ verified: true, sameOnAllNodes: true })
  expect(await outcomeOf(running, 'killed')).toEqual(undisturbed)
}, 180_000)
