import { expect, it } from 'vitest'
import { startFederation } from './federation.ts'
import { closeGate } from './gate.ts'
import { forgetBlobs, outcomeOf } from './outcome.ts'

it('a hub killed while it aggregates finishes the round with the very model of an undisturbed run', async () => {
  const federation = await startFederation()
  try {
    await federation.startTraining('undisturbed')
    await federation.finish('undisturbed')
    const undisturbed = await outcomeOf(federation, 'undisturbed')
    await forgetBlobs(federation)

    const gate = await closeGate(federation.hubDatabaseUrl, { stream: 'round/killed-1', event: 'aggregated' })
    await federation.startTraining('killed')
    await gate.reached()
    await federation.kill('hub')
    await gate.open()
    await federation.start('hub')
    await federation.finish('killed')
    expect(undisturbed).toMatchObject({ verified: true, sameOnAllNodes: true })
    expect(await outcomeOf(federation, 'killed')).toEqual(undisturbed)
  } finally {
    await federation.close()
  }
}, 180_000)
