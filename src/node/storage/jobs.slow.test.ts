/** Jobs of real processes that are killed. */

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type TestDatabase, testDatabase } from '../../../test/databases.ts'
import type { Job, Store } from '../ports.ts'
import { type Database, openDatabase } from './database.ts'
import { type Child, startChild } from './fixtures/children.ts'
import { createPostgresStore } from './postgres.ts'

describe('jobs of processes on one database', () => {
  let target: TestDatabase
  let database: Database
  let store: Store
  let children: Child[] = []
  beforeEach(async () => {
    target = await testDatabase()
    database = await openDatabase(target.url)
    store = createPostgresStore(database)
  })
  afterEach(async () => {
    await Promise.all(children.map((child) => child.kill()))
    children = []
    await database.close()
    await target.drop()
  })

  function startWorker(holdMs = 600_000): Child {
    const child = startChild('worker-process.ts', { TEST_DATABASE_URL: target.url, TEST_HOLD_MS: String(holdMs) })
    children.push(child)
    return child
  }

  const enqueue = (...jobs: Job[]) => store.transact((transaction) => transaction.enqueue(jobs))
  const job = (id: string, type: string): Job => ({ id, stream: 'round/r1', effect: { type } })

  it('a process takes over the job of one that was killed, within seconds', async () => {
    const first = startWorker()
    await first.heard('ready')
    await enqueue(job('round/r1/0/0', 'hold'))
    await first.heard('begun', 'round/r1/0/0')
    const second = startWorker()
    await second.heard('ready')
    const killedAt = performance.now()
    await first.kill()
    await second.heard('begun', 'round/r1/0/0')
    const tookMs = Math.round(performance.now() - killedAt)
    console.log(`taken over after ${tookMs} ms`)
    expect(tookMs).toBeLessThan(6000)
  })

  it('a process that starts after the kill takes over what its predecessor left', async () => {
    const first = startWorker()
    await enqueue(job('round/r1/0/0', 'hold'))
    await first.heard('begun', 'round/r1/0/0')
    await first.kill()
    const second = startWorker(0)
    await second.heard('ready')
    const readyAt = performance.now()
    await second.heard('done', 'round/r1/0/0')
    expect(performance.now() - readyAt).toBeLessThan(6000)
  })

  it('a process that is merely slow keeps its job', async () => {
    const [first, second] = [startWorker(4000), startWorker(4000)]
    await Promise.all([first.heard('ready'), second.heard('ready')])
    await enqueue(job('round/r1/0/0', 'hold'))
    const [outcome] = await Promise.allSettled([
      Promise.race([first.heard('done', 'round/r1/0/0'), second.heard('done', 'round/r1/0/0')]),
    ])
    expect(outcome?.status).toBe('fulfilled')
    expect([...first.said, ...second.said].filter(({ what }) => what === 'begun')).toHaveLength(1)
  })

  it('of 300 jobs none is lost while processes are killed again and again', async () => {
    const ids = Array.from({ length: 300 }, (_, i) => `round/r1/${i}/0`)
    startWorker(20)
    startWorker(20)
    for (const id of ids) await enqueue(job(id, 'hold'))
    for (let kills = 0; kills < 3; kills++) {
      await new Promise((resolve) => setTimeout(resolve, 150))
      await children.at(-1)?.kill()
      startWorker(20)
    }
    const done = () =>
      new Set(children.flatMap((child) => child.said.filter(({ what }) => what === 'done').map(({ id }) => id)))
    for (const end = Date.now() + 60_000; done().size < ids.length && Date.now() < end; )
      await new Promise((resolve) => setTimeout(resolve, 50))
    expect(done().size).toBe(ids.length)
  })
})
