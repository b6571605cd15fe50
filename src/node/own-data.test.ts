import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { OrganisationConfig } from './config.ts'
import { ensureDataset } from './own-data.ts'

const HEADER = '#path\tconn\n#fields\tts\tid.orig_h\tid.resp_h\n'
const row = (time: number): string => `${time}\t10.0.0.1\t10.0.0.2\n`

let room: string
beforeEach(() => {
  room = mkdtempSync(join(tmpdir(), 'entente-own-data-'))
})
afterEach(() => rmSync(room, { recursive: true, force: true }))

const ensure = (...paths: string[]) =>
  ensureDataset(join(room, 'node'), {
    data: { paths, format: 'auto', localNetworks: [], trainUntil: null, labels: 'all' },
  } as unknown as OrganisationConfig)

describe('the data set of a node', () => {
  it('is kept while its logs stay as they are, and made again when one below a directory grows', async () => {
    const logs = join(room, 'logs', 'today')
    mkdirSync(logs, { recursive: true })
    writeFileSync(join(logs, 'conn.log'), HEADER + row(1))
    writeFileSync(join(logs, 'notes.txt'), 'no log')
    expect(await ensure(join(room, 'logs'))).toMatchObject({ ingested: true, info: { rows: 1 } })
    expect(await ensure(join(room, 'logs'))).toMatchObject({ ingested: false, info: { rows: 1 } })
    appendFileSync(join(logs, 'conn.log'), row(2))
    expect(await ensure(join(room, 'logs'))).toMatchObject({ ingested: true, info: { rows: 2 } })
  })

  it('says which log cannot be read', async () => {
    await expect(ensure(join(room, 'missing'))).rejects.toMatchObject({ code: 'input-invalid' })
  })
})
