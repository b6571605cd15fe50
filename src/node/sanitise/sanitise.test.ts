import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { sharedPath } from '../../../test/shared.ts'
import { smallDisk } from '../../../test/small-disk.ts'
import { toHex } from '../../base/bytes.ts'
import { ingest } from '../ingest.ts'
import { OutputClosed } from '../detect/output.ts'
import { sanitiseFiles } from './files.ts'
import { freshKeys, openKeyFile } from './key-file.ts'
import { outputFile, outputStream } from './output-file.ts'

let room = ''
beforeEach(() => void (room = mkdtempSync(join(tmpdir(), 'entente-sanitise-'))))
afterEach(() => rmSync(room, { recursive: true, force: true }))

const HEADER = '#separator \\x09\n#path\tconn\n#fields\tts\tid.orig_h\tid.resp_h\tlabel\ttechnique\n'
const SCOPE = { federation: 'test.example', epoch: '1' }

function place(name: string, content: string | Uint8Array): string {
  writeFileSync(join(room, name), content)
  return join(room, name)
}

async function run(...paths: string[]) {
  let text = ''
  const write = async (lines: string): Promise<void> => void (text += lines)
  return { ...(await sanitiseFiles({ paths, keys: freshKeys(), format: 'auto', write })), text }
}

describe('sanitising files', () => {
  it('streams the lines of compressed files, in the order given', async () => {
    const row = (ts: number): string => `${ts}\t10.0.0.1\t10.0.0.2\tBenign\t-\n`
    const { text, report, formats } = await run(
      place('a.log', HEADER + row(1)),
      place('b.log.gz', gzipSync(HEADER + row(2))),
    )
    expect(formats).toEqual(['zeek-tsv', 'zeek-tsv'])
    expect(report).toMatchObject({ linesIn: 8, linesOut: 8 })
    expect(
      text
        .split('\n')
        .filter((line) => /^\d/.test(line))
        .map((line) => line.split('\t')[0]),
    ).toEqual(['1', '2'])
    expect(text).not.toContain('10.0.0.1')
  })

  it('gives one host one pseudonym however it is spelled', async () => {
    const { text } = await run(
      place('auth.log', 'from 10.1.2.3\nfrom ::ffff:10.1.2.3\nfrom 2001:DB8::1\nfrom 2001:db8:0:0::1\n'),
    )
    const [a, b, c, d] = text.split('\n')
    expect([a, c]).toEqual([b, d])
    expect(a).not.toContain('10.1.2.3')
  })

  it('takes what shows no format as plain text, and refuses to mix formats in one output', async () => {
    const syslog = place('auth.log', 'Accepted password for carla from 10.1.1.1\n')
    expect((await run(syslog)).formats).toEqual(['text'])
    await expect(run(syslog, place('conn.log', HEADER))).rejects.toMatchObject({ code: 'invalid-request' })
    await expect(run(join(room, 'missing'))).rejects.toMatchObject({ code: 'input-invalid' })
  })

  it('leaves the lines of overlong records out', async () => {
    const { report, text } = await run(place('x.log', `${'x'.repeat(2 << 20)}\nshort\n`))
    expect(report.linesDropped).toEqual({ 'line-too-long': 1 })
    expect(text).toBe('short\n')
  })

  it.each([
    'zeek/ctu-sme-11-win.conn.log.labeled.gz',
    'suricata/slips-test6.eve.json.gz',
    'zeek/otrf-apt29-day1.combined_zeek.jsonl.gz',
    'zeek/slips-test9.conn.jsonl.gz',
  ])('of %s can be ingested like the log itself: as many rows, hosts and labels (reads shared data)', async (name) => {
    const path = sharedPath(`data/${name}`)
    if (path === undefined) return
    const sanitised = place('sanitised.log', (await run(path)).text)
    const into = { format: 'auto', localNetworks: [], quarantineDirectory: room } as const
    const before = (await ingest({ ...into, paths: [path], directory: join(room, 'a') })).info
    const after = (await ingest({ ...into, paths: [sanitised], directory: join(room, 'b') })).info
    expect(after.rows).toBe(before.rows)
    expect(after.hosts).toBe(before.hosts)
    expect(after.labels).toMatchObject({ benign: before.labels.benign, attack: before.labels.attack })
  })
})

describe('the file of keys', () => {
  it('is made once, for its owner only, and gives the same keys again', async () => {
    const path = join(room, 'keys.json')
    const made = await openKeyFile(path, SCOPE)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(await openKeyFile(path, SCOPE)).toEqual(made)
    expect(await openKeyFile(path, {})).toEqual(made)
    expect(freshKeys()).not.toEqual(freshKeys())
  })

  it('gives other keys for the epoch or the federation that is asked for, and leaves those of the file as they are', async () => {
    const path = join(room, 'keys.json')
    const made = await openKeyFile(path, SCOPE)
    const asked = [{ epoch: '9' }, { federation: 'other' }, { federation: 'other', epoch: '9' }]
    const keys = [made, ...(await Promise.all(asked.map((scope) => openKeyFile(path, scope))))]
    const pseudonyms = new Set(
      keys.flatMap(({ pseudonym, address, format }) => [pseudonym, address, format].map(toHex)),
    )
    expect(pseudonyms.size).toBe(12)
    expect(await openKeyFile(path, {})).toEqual(made)
  })

  it('is not made for a name that no key can be derived for', async () => {
    const path = join(room, 'keys.json')
    await expect(openKeyFile(path, { epoch: '' })).rejects.toMatchObject({ code: 'invalid-request' })
    expect(existsSync(path)).toBe(false)
  })

  it('is refused when others may read it, or it holds something else', async () => {
    const path = join(room, 'keys.json')
    await openKeyFile(path, SCOPE)
    chmodSync(path, 0o640)
    await expect(openKeyFile(path, SCOPE)).rejects.toMatchObject({ code: 'config-invalid' })
    writeFileSync(path, '{}')
    chmodSync(path, 0o600)
    await expect(openKeyFile(path, SCOPE)).rejects.toMatchObject({ code: 'config-invalid' })
  })
})

describe('the output', () => {
  it('says that the disk is full, and leaves nothing behind', async (context) => {
    const disk = smallDisk('1m')
    if (disk === undefined) return context.skip('needs root on Linux')
    try {
      const output = await outputFile(join(disk.directory, 'out.log'))
      await expect(output.write('x'.repeat(4 << 20))).rejects.toMatchObject({ code: 'storage-full' })
      await output.abort()
      expect(readdirSync(disk.directory)).toEqual([])
    } finally {
      disk.remove()
    }
  })

  it('says so when nobody reads the stream any more, and does not take the process down', async () => {
    const stream = new Writable({
      write: (_chunk, _encoding, done) => done(Object.assign(new Error('write'), { code: 'EPIPE' })),
    })
    await expect(outputStream(stream).write('line\n')).rejects.toThrow(OutputClosed)
  })

  it('replaces what was there only when it is whole', async () => {
    const path = place('out.log', 'old')
    const failed = await outputFile(path)
    await failed.write('half')
    await failed.abort()
    expect(readFileSync(path, 'utf8')).toBe('old')
    const whole = await outputFile(path)
    await whole.write('new')
    await whole.commit()
    expect(readFileSync(path, 'utf8')).toBe('new')
  })
})
