import { describeBlobs, describeJobs, describeStore, type OpenedJobs } from '../../src/node/ports.suite.ts'
import { createScheduler } from '../scheduler.ts'
import { createBlobs } from './blobs.ts'
import { openDatabase } from './database.ts'
import { createDisk } from './disk.ts'
import { createJobs } from './jobs.ts'
import { createProcess } from './process.ts'
import { createStore } from './store.ts'

const close = async (): Promise<void> => undefined

function openNode(seed: string): OpenedJobs {
  const scheduler = createScheduler(seed, { auto: true })
  const disk = createDisk()
  const nowMs = () => Math.floor(scheduler.now())

  function boot() {
    const process = createProcess(scheduler, 'node')
    const database = openDatabase(process, disk)
    const store = createStore(process, database, { serialisationFailure: 0.1 })
    return { process, store, jobs: createJobs(process, database, nowMs) }
  }

  let node = boot()
  async function restart() {
    node.process.kill()
    disk.crash(scheduler.random)
    node = boot()
    return node
  }
  return {
    store: node.store,
    jobs: node.jobs,
    clock: { now: nowMs },
    sleep: (ms) => scheduler.sleep(ms),
    restart,
    close,
  }
}

describeStore('memory', async () => openNode('store'))
describeJobs('memory', async () => openNode('jobs'))
describeBlobs('memory', async () => {
  const scheduler = createScheduler('blobs', { auto: true })
  return { blobs: createBlobs(createProcess(scheduler, 'node'), createDisk()), close }
})
