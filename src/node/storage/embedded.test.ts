import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { EntenteError } from '../../base/errors.ts'
import { isAlive } from '../process-identity.ts'
import { testEnvelope } from '../ports.suite.ts'
import { openDatabase } from './database.ts'
import { createDatabase, type PrivateServer, startPrivateServer } from './embedded.ts'
import { type Child, startChild } from './fixtures/children.ts'
import { createJobs } from './jobs.ts'
import { createPostgresStore } from './postgres.ts'
import { endProcess, readPidFile } from './postmaster.ts'

let base: string
let directory: string
let servers: PrivateServer[] = []
let children: Child[] = []
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'entente-embedded-'))
  directory = join(base, 'pg')
})
afterEach(async () => {
  await Promise.all(children.map((child) => child.kill()))
  await Promise.all(servers.map((server) => server.stop()))
  const left = await readPidFile(join(directory, 'data'))
  if (left) await endProcess(left.pid)
  ;[servers, children] = [[], []]
  await rm(base, { recursive: true, force: true })
})

async function start(where = directory): Promise<PrivateServer> {
  const server = await startPrivateServer(where)
  servers.push(server)
  return server
}

async function ask(url: string, text: string): Promise<unknown> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => undefined)
  await client.connect()
  try {
    return Object.values((await client.query<Record<string, unknown>>(text)).rows[0] ?? {})[0]
  } finally {
    await client.end()
  }
}

async function until(condition: () => boolean | Promise<boolean>, waitMs = 30_000): Promise<void> {
  for (const end = Date.now() + waitMs; !(await condition()); await sleep(10))
    if (Date.now() > end) throw new Error('it never happened')
}

describe('the private Postgres', () => {
  it('starts in a directory that is named relative to where the command was typed', async () => {
    const { url } = await start(relative(process.cwd(), directory))
    expect(await ask(url, `select current_setting('data_directory')`)).toBe(join(directory, 'data'))
  })

  it('listens on loopback only, asks for its password, and syncs what it commits', async () => {
    const { url } = await start()
    expect(await ask(url, 'show listen_addresses')).toBe('127.0.0.1')
    for (const setting of ['fsync', 'synchronous_commit', 'full_page_writes'])
      expect(await ask(url, `show ${setting}`)).toBe('on')
    const wrong = new URL(url)
    wrong.password = 'guess'
    await expect(ask(wrong.href, 'select 1')).rejects.toThrow(/password authentication failed/)
    expect((await stat(join(directory, 'password'))).mode & 0o777).toBe(0o600)
  })

  it('stops with its owner, and comes back with its data on the same port', async () => {
    const first = await start()
    const url = await createDatabase(first.url, 'bank-a')
    await ask(url, 'create table kept as select 1')
    const pid = first.pid() ?? 0
    await first.stop()
    expect(isAlive(pid)).toBe(false)
    const second = await start()
    expect(second.url).toBe(first.url)
    expect(await ask(await createDatabase(second.url, 'bank-a'), 'select count(*)::int from kept')).toBe(1)
  })

  it('runs twice at a time in two directories', async () => {
    const [one, two] = await Promise.all([start(), start(join(base, 'other'))])
    expect(one.port).not.toBe(two.port)
    expect(await ask(two.url, 'select 1')).toBe(1)
  })

  it('survives the owner that is killed, and is taken over by the next one', async () => {
    const owner = startChild('server-process.ts', { TEST_DIRECTORY: directory })
    children.push(owner)
    const { pid, url } = await owner.heard('ready')
    await owner.kill()
    expect(isAlive(pid ?? 0)).toBe(true)
    const next = await start()
    expect([next.pid(), next.url]).toEqual([pid, url])
    await next.stop()
    expect(isAlive(pid ?? 0)).toBe(false)
  })

  it('is left alone by a second process that joins it', async () => {
    const owner = startChild('server-process.ts', { TEST_DIRECTORY: directory })
    children.push(owner)
    const { pid, url } = await owner.heard('ready')
    const guest = await start()
    expect([guest.url, guest.pid()]).toEqual([url, undefined])
    await guest.stop()
    expect(isAlive(pid ?? 0)).toBe(true)
  })

  it('is not kept from starting by the pid file of a dead server whose number a stranger now has', async () => {
    const first = await start()
    await first.stop()
    const lines = [process.pid, join(directory, 'data'), 1, first.port, '', '127.0.0.1', '', 'ready']
    await writeFile(join(directory, 'data', 'postmaster.pid'), `${lines.join('\n')}\n`)
    expect(await ask((await start()).url, 'select 1')).toBe(1)
    expect(isAlive(process.pid)).toBe(true)
  })

  it('removes what an interrupted creation left', async () => {
    await mkdir(join(directory, 'data.new-abc'), { recursive: true })
    await start()
    expect(existsSync(join(directory, 'data.new-abc'))).toBe(false)
  })

  it('makes a database once, however many ask for it at a time', async () => {
    const { url } = await start()
    const urls = await Promise.all(Array.from({ length: 5 }, () => createDatabase(url, 'shared')))
    expect(new Set(urls).size).toBe(1)
    await expect(createDatabase(url, 'no"good')).rejects.toThrow(EntenteError)
  })

  it('lets several processes bring one empty database up to date at once', async () => {
    const { url } = await start()
    const target = await createDatabase(url, 'fresh')
    const opened = await Promise.all(Array.from({ length: 4 }, () => openDatabase(target, { connectionsMax: 2 })))
    expect(await ask(target, 'select count(*)::int from entente.migrations')).toBe(1)
    await Promise.all(opened.map((database) => database.close()))
  })
})

describe('a Postgres that is killed', () => {
  it('fails with a retryable code, is restarted on its port with all that was committed, and jobs go on', {
    timeout: 60_000,
  }, async () => {
    const server = await start()
    const database = await openDatabase(await createDatabase(server.url, 'node'))
    const store = createPostgresStore(database)
    const jobs = createJobs(database)
    const carriedOut = new Set<string>()
    await jobs.start(async ({ id }) => {
      await sleep(5)
      carriedOut.add(id)
    })
    const acknowledged: string[] = []
    const codes = new Set<string>()
    let going = true
    const append = async (id: string) =>
      store.transact(async (transaction) => {
        const held = await transaction.lockStream('round/r1')
        if (await transaction.hasEvent('round/r1', id)) return
        await transaction.append('round/r1', { seq: held?.seq ?? 0, id, event: {} }, {})
        await transaction.enqueue([{ id: `round/r1/${id}/0`, stream: 'round/r1', effect: {} }])
      })
    const writing = (async () => {
      for (let n = 0; going; n++) {
        for (;;) {
          const code = await append(String(n)).then(
            () => undefined,
            (error: unknown) => (error instanceof EntenteError ? error.code : String(error)),
          )
          if (code === undefined) break
          codes.add(code)
          await sleep(10)
        }
        acknowledged.push(String(n))
      }
    })()
    for (let kills = 0; kills < 2; kills++) {
      await sleep(300)
      const [pid, before] = [server.pid() ?? 0, acknowledged.length]
      const killedAt = performance.now()
      process.kill(pid, 'SIGKILL')
      await until(() => server.pid() !== pid && acknowledged.length > before + 5)
      console.log(`writing again ${Math.round(performance.now() - killedAt)} ms after the kill`)
    }
    going = false
    await writing
    expect([...codes]).toEqual(['unavailable'])
    expect((await store.readEvents('round/r1')).map(({ id }) => id)).toEqual(acknowledged)
    const doneAt = performance.now()
    await until(() => carriedOut.size === acknowledged.length)
    console.log(
      `${carriedOut.size} jobs carried out, the last ${Math.round(performance.now() - doneAt)} ms after the last event`,
    )
    const woken = store.awaitMail('hub', 0, 30_000, new AbortController().signal)
    await store.transact((transaction) => transaction.postMail('hub', testEnvelope('m1')))
    await woken
    await jobs.stop()
    await database.close()
  })

  it('leaves no words of what was stored in its log', async () => {
    const server = await start()
    await expect(ask(server.url, `select 'secret-payload'::int`)).rejects.toThrow()
    await server.stop()
    expect(await readFile(join(directory, 'postgres.log'), 'utf8')).not.toContain(`select 'secret`)
  })
})
