import { assert, constantFrom, array, nat, property } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { prng } from '../../src/base/prng.ts'
import { createScheduler } from '../scheduler.ts'
import { openDatabase } from './database.ts'
import { createDisk } from './disk.ts'
import { createProcess } from './process.ts'

describe('the fake disk', () => {
  it('keeps every synced frame, and of the others a prefix, whatever was torn', () => {
    let torn = 0
    assert(
      property(array(constantFrom('append', 'sync')), nat(), (steps, seed) => {
        const disk = createDisk()
        const synced: number[] = []
        let written = 0
        for (const step of steps) {
          if (step === 'append') disk.append([written++])
          else synced.push(...disk.sync().map((entry) => (entry as [number])[0]))
        }
        disk.crash(prng(String(seed)))
        const { entries, dropped } = disk.recover()
        torn += dropped
        expect(entries).toEqual(Array.from({ length: entries.length }, (_, i) => [i]))
        expect(entries.length).toBeGreaterThanOrEqual(synced.length)
        expect(entries.length).toBeLessThanOrEqual(written)
        expect(disk.recover()).toEqual({ entries, dropped: 0 })
      }),
      { numRuns: 500 },
    )
    expect(torn).toBeGreaterThan(20)
  })

  it('tears uploads beyond their last sync', () => {
    const disk = createDisk()
    disk.uploads.set('d' as never, { bytes: new Uint8Array(100), synced: 40 })
    disk.crash(prng('tear'))
    const upload = disk.uploads.get('d' as never)
    expect(upload?.bytes.length).toBeGreaterThanOrEqual(40)
    expect(upload?.bytes.length).toBeLessThan(100)
  })

  it('shows a transaction only once it is durable', async () => {
    const scheduler = createScheduler('visible')
    const disk = createDisk()
    const database = openDatabase(
      createProcess(scheduler, 'node', (label) => label.startsWith('before fsync')),
      disk,
    )
    void database.commit([{ type: 'value', name: 'a', value: 1 }], 'a')
    await scheduler.run()
    expect(database.tables.values.has('a')).toBe(false)
  })
})
