import { afterAll, expect, it } from 'vitest'
import { CONFIG, HIDDEN, startFederation, type TestFederation } from './federation.ts'
import { closeGate } from './gate.ts'
import { outcomeOf, withoutMasks } from './outcome.ts'

let federation: TestFederation | undefined
afterAll(() => federation?.close())

const RANDOM = { ...HIDDEN, rounds: 3, sparsify: { method: 'random-k', fraction: 0.1, errorFeedback: true } } as const
const TOP = { ...CONFIG, rounds: 3, sparsify: { method: 'top-k', fraction: 0.1, errorFeedback: true } } as const

it('an organisation killed over what its updates leave behind goes on to the very models of an undisturbed training', async () => {
  const running = (federation = await startFederation())
  const [name = ''] = running.organisations
  for (const [kind, config] of Object.entries({ random: RANDOM, top: TOP })) {
    await running.startTraining(`${kind}-calm`, config)
    await running.finish(`${kind}-calm`)
    const calm = withoutMasks(await outcomeOf(running, `${kind}-calm`))
    const stream = `participant/${kind}-killed-2`
    const gate = await closeGate(running.databaseUrl(name), { stream, event: 'trained' })
    await running.startTraining(`${kind}-killed`, config)
    await gate.reached()
    await running.kill(name)
    await gate.open()
    await running.start(name)
    await running.finish(`${kind}-killed`)
    expect(calm).toMatchObject({ verified: true, sameOnAllNodes: true })
    expect(withoutMasks(await outcomeOf(running, `${kind}-killed`))).toEqual(calm)
  }
}, 240_000)
