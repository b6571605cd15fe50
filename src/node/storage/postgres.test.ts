import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type TestDatabase, testDatabase } from '../../../test/databases.ts'
import { organisationId } from '../../base/ids.ts'
import { systemClock } from '../clock.ts'
import type { Store } from '../ports.ts'
import { describeJobs, describeStore, testEnvelope } from '../ports.suite.ts'
import { type Database, openDatabase } from './database.ts'
import { databaseError } from './errors.ts'
import { createJobs } from './jobs.ts'
import { createPostgresStore } from './postgres.ts'

describeStore('Postgres', async () => {
  const { url, drop } = await testDatabase()
  const database = await openDatabase(url)
  return {
    store: createPostgresStore(database),
    async close() {
      await database.close()
      await drop()
    },
  }
})

describeJobs('graphile-worker', async () => {
  const { url, drop } = await testDatabase()
  const database = await openDatabase(url)
  const jobs = createJobs(database)
  return {
    store: createPostgresStore(database),
    jobs,
    clock: systemClock,
    sleep: (ms) => sleep(ms),
    async close() {
      await jobs.stop()
      await database.close()
      await drop()
    },
  }
})

describe('what is particular to Postgres', () => {
  let target: TestDatabase
  let database: Database
  let store: Store
  beforeAll(async () => {
    target = await testDatabase()
    database = await openDatabase(target.url)
    store = createPostgresStore(database)
  })
  afterAll(async () => {
    await database.close()
    await target.drop()
  })

  const append = (stream: string, id: string, event: unknown, state: unknown) =>
    store.transact(async (transaction) => {
      const held = await transaction.lockStream(stream)
      await transaction.append(stream, { seq: held?.seq ?? 0, id, event }, state)
    })

  it('returns any JSON value as it was, in states, events, records, values and jobs', async () => {
    let n = 0
    const numbers = fc.constantFrom(-0, 1e21, 1e-7, 5e-324, Number.MAX_VALUE, 2 ** 53, 0.1)
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('\u0000', 'a\u0000b', '\\u0000', '\u2028', '\ud83d\ude00', '\ud800', '__proto__'),
    )
    const value = fc.oneof(
      fc.json().map((json) => JSON.parse(json) as unknown),
      fc.dictionary(text, fc.oneof(text, numbers)),
      fc.array(fc.oneof(numbers, text)),
    )
    await fc.assert(
      fc.asyncProperty(value, async (stored) => {
        const stream = `any/${n++}`
        const again = JSON.parse(JSON.stringify(stored)) as unknown
        await append(stream, 'e', stored, stored)
        await store.transact(async (transaction) => {
          await transaction.writeRecords([{ collection: 'any', key: stream, value: stored }])
          await transaction.setValue(stream, stored)
          await transaction.enqueue([{ id: `${stream}/0/0`, stream, effect: { stored } }])
        })
        expect((await store.readStream(stream))?.state).toStrictEqual(again)
        expect((await store.readEvents(stream))[0]?.event).toStrictEqual(again)
        expect(await store.readRecord('any', stream)).toStrictEqual(again)
        expect(await store.readValue(stream)).toStrictEqual(again)
        const { rows } = await database.pool.query<{ payload: { effect: unknown } }>(
          'select payload from graphile_worker._private_jobs where key = $1',
          [`${stream}/0/0`],
        )
        expect(rows[0]?.payload.effect).toStrictEqual({ stored: again })
      }),
      { numRuns: 60 },
    )
  })

  it('refuses an event that does not follow the last one', async () => {
    await append('gap/1', 'a', {}, { n: 1 })
    const skip = (seq: number, stream: string) =>
      store.transact((transaction) => transaction.append(stream, { seq, id: `s${seq}`, event: {} }, {}))
    await expect(skip(5, 'gap/1')).rejects.toMatchObject({ code: 'internal' })
    await expect(skip(0, 'gap/1')).rejects.toMatchObject({ code: 'internal' })
    await expect(skip(1, 'gap/2')).rejects.toMatchObject({ code: 'internal' })
    expect(await store.readStream('gap/1')).toEqual({ seq: 1, state: { n: 1 } })
    expect(await store.readEvents('gap/2')).toEqual([])
  })

  it('does not report a commit when a statement failed and the failure was swallowed', async () => {
    const work = store.transact(async (transaction) => {
      await transaction.setValue('swallowed', 1)
      await transaction.setValue('bad\u0000name', 1).catch(() => undefined)
    })
    await expect(work).rejects.toMatchObject({ code: 'internal' })
    expect(await store.readValue('swallowed')).toBeUndefined()
  })

  it('shows a reader no mail out of order, however many write at a time', async () => {
    const seen: number[] = []
    let writing = true
    const reader = (async () => {
      while (writing || (await store.readMail('hub', seen.length, 1)).length > 0)
        seen.push(...(await store.readMail('hub', seen.at(-1) ?? 0, 100)).map(({ position }) => position))
    })()
    const post = (id: number) =>
      store.transact((transaction) => transaction.postMail('hub', testEnvelope(`order-${id}`)))
    await Promise.all(Array.from({ length: 120 }, (_, id) => post(id)))
    writing = false
    await reader
    expect(seen).toEqual(Array.from({ length: 120 }, (_, index) => index + 1))
  })

  it('repeats transactions that block each other', async () => {
    let runs = 0
    const both = (first: string, second: string) =>
      store.transact(async (transaction) => {
        runs++
        await transaction.lockStream(first)
        await sleep(30)
        await transaction.lockStream(second)
      })
    await Promise.all([both('cross/a', 'cross/b'), both('cross/b', 'cross/a')])
    expect(runs).toBeGreaterThan(2)
  })

  it('lets 200 wait for mail over one connection, and wakes those whose mail came', async () => {
    const signal = new AbortController()
    let woken = 0
    const waiting = Array.from({ length: 200 }, async (_, n) => {
      await store.awaitMail(organisationId(`bank-${n % 2}`), 0, 20_000, signal.signal)
      woken++
    })
    await sleep(200)
    await store.transact((transaction) => transaction.postMail(organisationId('bank-1'), testEnvelope('wake')))
    for (const end = Date.now() + 5000; woken < 100 && Date.now() < end; ) await sleep(5)
    await sleep(50)
    expect(woken).toBe(100)
    signal.abort()
    await Promise.all(waiting)
  })

  it('keeps a job once, also if it is enqueued again', async () => {
    const enqueue = () =>
      store.transact((transaction) => transaction.enqueue([{ id: 'once/0/0', stream: 'once', effect: {} }]))
    await Promise.all([enqueue(), enqueue(), enqueue()])
    const { rowCount } = await database.pool.query(`select 1 from graphile_worker._private_jobs where key = 'once/0/0'`)
    expect(rowCount).toBe(1)
  })

  it('has the server give up a client whose machine fell silent after seconds, not after two hours', async () => {
    const { rows } = await database.pool.query<{ name: string; setting: string }>(
      `select name, setting from pg_settings where name like 'tcp_keepalives%' order by name`,
    )
    expect(rows.map(({ setting }) => Number(setting))).toEqual([3, 5, 2])
  })

  it('says in closed codes what went wrong', () => {
    const code = (sqlState: string, message = '') =>
      databaseError(Object.assign(new Error(message), { code: sqlState })).code
    expect([
      code('53100'),
      code('58030', 'could not extend file: No space left on device'),
      code('XX000', 'No space left on device'),
    ]).toEqual(Array(3).fill('storage-full'))
    expect(
      ['57P01', '57P02', '57P03', '53300', '08006', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE'].map((each) => code(each)),
    ).toEqual(Array(8).fill('unavailable'))
    expect(databaseError(new Error('Connection terminated unexpectedly')).code).toBe('unavailable')
    expect([code('28P01'), code('3D000'), code('42P01')]).toEqual(['config-invalid', 'config-invalid', 'internal'])
  })
})
