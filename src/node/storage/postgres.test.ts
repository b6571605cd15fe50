import { setTimeout as sleep } from 'node:timers/promises'
import { describeJobs, describeStore } from '../ports.suite.ts'
import { systemClock } from '../clock.ts'
import { testDatabase } from '../../../test/databases.ts'
import { openDatabase } from './database.ts'
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
