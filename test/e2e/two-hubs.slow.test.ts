/** Two hub processes over one database and one directory are one hub: either may die in the middle of a round, for good. */

import { platform } from 'node:os'
import { afterEach, describe, expect, it } from 'vitest'
import { processWithPort } from './connections.ts'
import { SECOND_HUB, startFederation, type TestFederation } from './federation.ts'
import { closeGate, withClient } from './gate.ts'
import { forgetBlobs, outcomeOf } from './outcome.ts'

let federation: TestFederation | undefined

afterEach(async () => {
  await federation?.close()
  federation = undefined
})

/** Name of the hub process that stands at the gate. */
async function hubBehind({ processes }: TestFederation, clientPort: number): Promise<string> {
  const names = ['hub', SECOND_HUB]
  const pids = names.map((name) => processes.get(name)?.pid ?? 0)
  const pid = await processWithPort(clientPort, pids)
  return names[pids.indexOf(pid ?? -1)] ?? expect.fail('nobody known stands at the gate')
}

async function recordedAt(databaseUrl: string, stream: string, event: string): Promise<number> {
  const statement = `select recorded_at from entente.events where stream = $1 and event::json->>'type' = $2
    order by seq desc limit 1`
  const { rows } = await withClient(databaseUrl, (client) =>
    client.query<{ recorded_at: Date }>(statement, [stream, event]),
  )
  return rows[0]?.recorded_at.getTime() ?? Number.NaN
}

describe.skipIf(platform() !== 'linux')('two hub processes over one database', () => {
  it.each([
    { victim: 'that works', event: 'contribution-received', nth: 2 },
    { victim: 'that works', event: 'aggregated', nth: 1 },
    { victim: 'that works', event: 'sealed', nth: 1 },
    { victim: 'beside it', event: 'contribution-received', nth: 2 },
    { victim: 'beside it', event: 'aggregated', nth: 1 },
  ])('the process $victim is killed before $event and never comes back: the other goes on', async (planned) => {
    const running = (federation = await startFederation({ secondHub: true }))
    await running.startTraining('undisturbed')
    await running.finish('undisturbed')
    const undisturbed = await outcomeOf(running, 'undisturbed')
    await forgetBlobs(running)

    const { victim, event, nth } = planned
    const gate = await closeGate(running.hubDatabaseUrl, { stream: 'round/killed-1', event, nth })
    await running.startTraining('killed')
    const busy = await hubBehind(running, (await gate.reached()).clientPort)
    const other = busy === 'hub' ? SECOND_HUB : 'hub'
    const killedAt = Date.now()
    await running.kill(victim === 'that works' ? busy : other)
    await gate.open()
    await running.finish('killed')
    const done = Date.now() - killedAt
    // Without a takeover the event was under way before the kill.
    const stored = Math.max(0, (await recordedAt(running.hubDatabaseUrl, 'round/killed-1', event)) - killedAt)
    console.log(`${victim}, before ${event}: stored ${stored} ms, training done ${done} ms after the kill`)
    expect(undisturbed).toMatchObject({ verified: true, sameOnAllNodes: true })
    expect(await outcomeOf(running, 'killed')).toEqual(undisturbed)
  })
})
