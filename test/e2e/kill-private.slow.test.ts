/**
 * `kill -9` while an organisation trains with noise on rows, hidden by secure aggregation: the default. What it trained is there, and
 * that it did is not stored, so it trains again: with other noise, two updates of one round would both tell of its rows.
 */

import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { parseTrainingConfig } from '../../src/learning/config.ts'
import { openControl } from '../../src/node/control.ts'
import { HIDDEN, startFederation, type TestFederation } from './federation.ts'
import { closeGate, withClient } from './gate.ts'
import { forgetBlobs, storedBlobs } from './outcome.ts'

const config = parseTrainingConfig({
  ...HIDDEN,
  privacy: { unit: 'example', epsilon: 1, delta: 1e-6, rowsPerHost: 50 },
})

let federation: TestFederation | undefined
afterAll(() => federation?.close())

/** Digest of the update that a round is said to have trained. */
async function trainedIn(databaseUrl: string, roundId: string): Promise<string> {
  const statement = `select event::json->'update'->>'digest' as digest from entente.events
    where stream = $1 and event::json->>'type' = 'trained'`
  const { rows } = await withClient(databaseUrl, (client) =>
    client.query<{ digest: string }>(statement, [`participant/${roundId}`]),
  )
  expect(rows).toHaveLength(1)
  return rows[0]?.digest ?? ''
}

async function usedBy({ members }: TestFederation, id: string): Promise<number> {
  const control = await openControl(members.find((one) => one.id === id)?.directory ?? '')
  try {
    return ((await control.get('/privacy/privacy-budget')) as { total_used: number }).total_used
  } finally {
    control.close()
  }
}

it.each(['organisation', 'postgres'] as const)(
  'kill -9 of the %s makes no other update of the round, and costs no budget twice',
  async (victim) => {
    const running = (federation ??= await startFederation())
    const [killed = '', other = ''] = running.organisations
    const training = `private-${victim}`
    await forgetBlobs(running)
    const stream = `participant/${training}-1`
    const gate = await closeGate(running.databaseUrl(killed), { stream, event: 'trained' })
    await running.startTraining(training, config)
    await gate.reached()
    const trainedBefore = await storedBlobs(join(running.directory, killed))
    if (victim === 'postgres') await running.killPostgres()
    else await running.kill(killed)
    await gate.open()
    if (victim === 'organisation') await running.start(killed)
    await running.finish(training)
    expect(trainedBefore).toContain(await trainedIn(running.databaseUrl(killed), `${training}-1`))
    expect(await usedBy(running, killed)).toBeCloseTo(await usedBy(running, other), 9)
  },
)
