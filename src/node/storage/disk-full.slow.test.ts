/** The private Postgres on a disk that fills up, for real. */

import { rm, statfs, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { smallDisk } from '../../../test/small-disk.ts'
import { EntenteError } from '../../base/errors.ts'
import { openDatabase } from './database.ts'
import { createDatabase, startPrivateServer } from './embedded.ts'
import { createPostgresStore } from './postgres.ts'

describe('Postgres on a full disk', () => {
  it('refuses with a retryable code, keeps what it acknowledged, and goes on when there is space again', async (test) => {
    const disk = smallDisk('140m')
    if (disk === undefined) return test.skip('this user may not mount a small file system')
    const server = await startPrivateServer(join(disk.directory, 'pg'))
    try {
      const database = await openDatabase(await createDatabase(server.url, 'node'))
      const store = createPostgresStore(database)
      const bulk = 'x'.repeat(200_000)
      const append = (id: string) =>
        store.transact(async (transaction) => {
          const held = await transaction.lockStream('round/r1')
          if (await transaction.hasEvent('round/r1', id)) return
          await transaction.append('round/r1', { seq: held?.seq ?? 0, id, event: { random: randomText(bulk) } }, {})
        })
      const acknowledged: string[] = []
      let code = ''
      for (let n = 0; n < 2000 && code === ''; n++) {
        await append(String(n)).then(
          () => acknowledged.push(String(n)),
          (error: unknown) => {
            code = error instanceof EntenteError ? error.code : String(error)
          },
        )
        if (n === 20) await fillUp(disk.directory)
      }
      console.log(`full after ${acknowledged.length} events: ${code}`)
      expect(['storage-full', 'unavailable']).toContain(code)
      expect(acknowledged.length).toBeLessThan(2000)
      await rm(join(disk.directory, 'ballast'))
      const deadline = Date.now() + 30_000
      while (
        !(await append('after').then(
          () => true,
          () => false,
        ))
      ) {
        if (Date.now() > deadline) throw new Error('it never recovered')
        await sleep(100)
      }
      const ids = (await store.readEvents('round/r1')).map(({ id }) => id)
      expect(ids.slice(0, acknowledged.length)).toEqual(acknowledged)
      expect(ids).toContain('after')
      await database.close()
    } finally {
      await server.stop()
      disk.remove()
    }
  })
})

/** Does not compress, so that it fills the disk as its length says. */
function randomText(bulk: string): string {
  let state = Math.trunc(performance.now() * 1000) >>> 0
  return bulk.replace(/x/g, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return String.fromCharCode(33 + ((state >>> 24) % 90))
  })
}

async function fillUp(directory: string): Promise<void> {
  const { bavail, bsize } = await statfs(directory)
  await writeFile(join(directory, 'ballast'), new Uint8Array(bavail * bsize - 8_000_000))
}
