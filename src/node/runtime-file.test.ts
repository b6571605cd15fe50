import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createLogger } from './logging.ts'
import { readRuntimeFile, removeRuntimeFile, writeRuntimeFile } from './runtime-file.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'entente-runtime-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

const running = { urls: { api: 'https://127.0.0.1:1' }, controlToken: 'token' }
const path = () => join(directory, 'runtime.json')

describe('runtime.json', () => {
  it('tells where the running process is, to its owner only, until it is removed', async () => {
    expect(await readRuntimeFile(directory)).toBeUndefined()
    await writeRuntimeFile(directory, running)
    expect((await stat(path())).mode & 0o777).toBe(0o600)
    expect(await readRuntimeFile(directory)).toMatchObject({ ...running, process: { pid: process.pid } })
    await removeRuntimeFile(directory)
    expect(await readRuntimeFile(directory)).toBeUndefined()
  })

  it('does not take another process that got the same number for the one that was killed', async () => {
    await writeFile(path(), JSON.stringify({ process: { pid: process.pid, startTicks: '1' }, ...running }))
    expect(await readRuntimeFile(directory)).toBeUndefined()
  })

  it('says so when the file is something else', async () => {
    await writeFile(path(), '{')
    await expect(readRuntimeFile(directory)).rejects.toMatchObject({ code: 'config-invalid' })
  })
})

describe('logs', () => {
  it('hold no payloads, keys or addresses with passwords, wherever they are in the object', () => {
    let text = ''
    const destination = new Writable({
      write(chunk, _, done) {
        text += String(chunk)
        done()
      },
    })
    const logger = createLogger({ level: 'info', fields: { role: 'hub' }, destination })
    logger.info(
      {
        body: 'hidden',
        envelope: { body: 'hidden' },
        request: { peer: { secretKey: 'hidden' } },
        url: 'hidden',
        round: 'r1',
      },
      'arrived',
    )
    logger.debug('below the level')
    expect(text).not.toContain('hidden')
    expect(JSON.parse(text)).toMatchObject({ role: 'hub', round: 'r1', msg: 'arrived', level: 30 })
  })
})
