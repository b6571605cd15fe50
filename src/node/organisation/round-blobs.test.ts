import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type TestDatabase, testDatabase } from '../../../test/databases.ts'
import { utf8 } from '../../base/bytes.ts'
import { sha256Hex } from '../../base/hash.ts'
import { roundId } from '../../base/ids.ts'
import { openFileBlobs } from '../blobs/files.ts'
import { writeBlob } from '../model-files.ts'
import type { Blobs } from '../ports.ts'
import { type Database, openDatabase } from '../storage/database.ts'
import { createPostgresStore } from '../storage/postgres.ts'
import { forgetIfOver, forgetRoundBlobs, nameRoundBlob, writeRoundBlob } from './round-blobs.ts'

const [ONE, OTHER, THIRD] = ['t-1', 'u-1', 'v-1'].map(roundId) as [never, never, never]

let target: TestDatabase
let database: Database
let directory: string
let blobs: Blobs
beforeAll(async () => {
  target = await testDatabase()
  database = await openDatabase(target.url)
  directory = await mkdtemp(join(tmpdir(), 'entente-round-blobs-'))
  blobs = await openFileBlobs(directory)
})
afterAll(async () => {
  await database.close()
  await target.drop()
  await rm(directory, { recursive: true, force: true })
})

const node = (own: Blobs = blobs) => ({ ports: { store: createPostgresStore(database), blobs: own } }) as never
const isHere = async (digest: string): Promise<boolean> => (await blobs.size(digest as never)) !== undefined

describe('what a round stored (Postgres, files)', () => {
  it('goes with the round, and nothing else does', async () => {
    const model = await writeBlob(blobs, utf8('a model'))
    const update = await writeRoundBlob(node(), ONE, utf8('an update'))
    const other = await writeRoundBlob(node(), OTHER, utf8('another update'))
    await forgetRoundBlobs(node(), ONE)
    await forgetRoundBlobs(node(), ONE)
    expect(await Promise.all([update, other, model].map(({ digest }) => isHere(digest)))).toEqual([false, true, true])
    await forgetRoundBlobs(node(), OTHER)
    expect(await Promise.all([other, model].map(({ digest }) => isHere(digest)))).toEqual([false, true])
  })

  it('stays while another round reads the same bytes', async () => {
    const rounds = ['same-1', 'same-2'].map((id) => roundId(id))
    const [first, second] = rounds as [never, never]
    for (const round of rounds) await writeRoundBlob(node(), round, utf8('the same update'))
    await forgetRoundBlobs(node(), first)
    expect(await isHere(sha256Hex(utf8('the same update')))).toBe(true)
    await forgetRoundBlobs(node(), second)
    expect(await isHere(sha256Hex(utf8('the same update')))).toBe(false)
  })

  it('is removed by the next try when a process dies before, in the middle of or after removing it', async () => {
    const dying = (until: 'before' | 'after'): Blobs => ({
      ...blobs,
      async remove(digest) {
        if (until === 'after') await blobs.remove(digest)
        throw new Error('killed')
      },
    })
    const { digest } = await writeRoundBlob(node(), THIRD, utf8('one more update'))
    for (const until of ['before', 'after'] as const)
      await expect(forgetRoundBlobs(node(dying(until)), THIRD)).rejects.toThrow('killed')
    await writeBlob(blobs, utf8('one more update'))
    await forgetRoundBlobs(node(), THIRD)
    expect(await isHere(digest)).toBe(false)
  })

  it('is named before it is written, so a process that dies in between leaves nothing behind', async () => {
    const round = roundId('torn-1')
    const torn: Blobs = { ...blobs, create: () => Promise.reject(new Error('killed')) }
    await expect(writeRoundBlob(node(torn), round, utf8('torn'))).rejects.toThrow('killed')
    await writeBlob(blobs, utf8('torn'))
    await forgetRoundBlobs(node(), round)
    expect(await isHere(sha256Hex(utf8('torn')))).toBe(false)
  })

  it('of a job that outlives its round goes too, and of one that does not stays', async () => {
    const [late, current] = [roundId('late-1'), roundId('current-1')]
    await forgetRoundBlobs(node(), late)
    const stored = [
      await writeRoundBlob(node(), late, utf8('late')),
      await writeRoundBlob(node(), current, utf8('now')),
    ]
    for (const round of [late, current]) await forgetIfOver(node(), round)
    expect(await Promise.all(stored.map(({ digest }) => isHere(digest)))).toEqual([false, true])
  })

  it('whose write ends after the round was forgotten is forgotten by whoever wrote it', async () => {
    const round = roundId('held-1')
    let commit: () => void = () => undefined
    const held = new Promise<void>((resolve) => (commit = resolve))
    let writing: () => void = () => undefined
    const begun = new Promise<void>((resolve) => (writing = resolve))
    const slow: Blobs = {
      ...blobs,
      async create() {
        const writer = await blobs.create()
        return {
          ...writer,
          async commit(expected) {
            writing()
            await held
            return writer.commit(expected)
          },
        }
      },
    }
    const written = writeRoundBlob(node(slow), round, utf8('held'))
    await begun
    await forgetRoundBlobs(node(), round)
    commit()
    const { digest } = await written
    await forgetIfOver(node(), round)
    expect(await isHere(digest)).toBe(false)
  })

  it('survives two rounds that name and forget it at once', async () => {
    const digest = sha256Hex(utf8('contended'))
    const rounds = Array.from({ length: 6 }, (_, i) => roundId(`contended-${i}`))
    await Promise.all(
      rounds.map(async (round, i) => {
        await writeRoundBlob(node(), round, utf8('contended'))
        if (i > 0) await forgetRoundBlobs(node(), round)
      }),
    )
    expect(await isHere(digest)).toBe(true)
    await nameRoundBlob(node(), rounds[0] as never, digest)
    await forgetRoundBlobs(node(), rounds[0] as never)
    expect(await isHere(digest)).toBe(false)
  })
})
