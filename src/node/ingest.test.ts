import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { sharedPath } from '../../test/shared.ts'
import { ATTACK, BENIGN, RowTable, SOURCE_EXTERNAL, STEALTHY } from '../telemetry/dataset.ts'
import { smallDisk } from '../../test/small-disk.ts'
import { createFeatureStream, FEATURE_COUNT } from '../telemetry/features.ts'
import { ingest } from './ingest.ts'
import { zipOf } from './ingest/fixtures/zip.ts'

let room: string
beforeEach(() => {
  room = mkdtempSync(join(tmpdir(), 'entente-ingest-'))
})
afterEach(() => rmSync(room, { recursive: true, force: true }))

const HEADER = '#path\tconn\n#fields\tts\tid.orig_h\tid.resp_h\tlabel\ttechnique\n'
const row = (time: number, source: string, technique = '-'): string =>
  `${time}\t${source}\t10.0.0.2\t${technique === '-' ? 'Benign' : 'Malicious'}\t${technique}\n`

function place(name: string, content: string | Uint8Array): string {
  writeFileSync(join(room, name), content)
  return join(room, name)
}

const run = (...paths: string[]) =>
  ingest({
    paths,
    format: 'auto',
    localNetworks: ['10.0.0.0/8'],
    directory: join(room, 'set'),
    quarantineDirectory: join(room, 'quarantine'),
  })

describe('ingest', () => {
  it('writes rows, features and hosts that say what the log says', async () => {
    const { info } = await run(
      place('conn.log', HEADER + row(120.5, '10.0.0.1') + row(121, '8.8.8.8', 'T1046') + row(122, '8.8.8.8', 'T1498')),
    )
    expect(info).toMatchObject({
      rows: 3,
      hosts: 3,
      techniques: ['', 'T1046', 'T1498'],
      labels: { benign: 1, attack: 2, unknown: 0, stealthy: 1 },
    })
    const table = new RowTable(readFileSync(join(room, 'set', 'rows.bin')))
    expect(table.at(0)).toEqual({
      time: 120.5,
      sourceId: 0,
      destinationId: 1,
      minute: 2,
      technique: 0,
      label: BENIGN,
      flags: 0,
      line: 3,
    })
    expect(table.at(1)).toMatchObject({
      sourceId: 2,
      technique: 1,
      label: ATTACK,
      flags: STEALTHY | SOURCE_EXTERNAL,
      line: 4,
    })
    expect(table.flags(2)).toBe(SOURCE_EXTERNAL)
    expect(readFileSync(join(room, 'set', 'hosts.txt'), 'utf8')).toBe('10.0.0.1\n10.0.0.2\n8.8.8.8\n')
    const expected = new Float32Array(FEATURE_COUNT)
    createFeatureStream({ localNetworks: ['10.0.0.0/8'] }).push(
      { time: 120.5, source: '10.0.0.1', destination: '10.0.0.2', kind: 'flow' },
      expected,
      0,
    )
    const features = readFileSync(join(room, 'set', 'features.f32'))
    expect(features).toHaveLength(3 * FEATURE_COUNT * 4)
    expect(
      new Float32Array(features.buffer.slice(features.byteOffset, features.byteOffset + FEATURE_COUNT * 4)),
    ).toEqual(expected)
  })

  it('reads gzip as plain, whatever the name', async () => {
    const plain = HEADER + row(1, '10.0.0.1') + row(2, '10.0.0.3')
    const { info: one } = await run(place('a.log', plain))
    const bytes = readFileSync(join(room, 'set', 'rows.bin'))
    const { info: two } = await run(place('b.log', gzipSync(plain)))
    expect(two.rows).toBe(one.rows)
    expect(readFileSync(join(room, 'set', 'rows.bin'))).toEqual(bytes)
  })

  it('reads zstd, every log of a zip and all files below a directory, in the order of their names', async () => {
    const logs = [1, 2, 3, 4].map((time) => HEADER + row(time, `10.0.0.${time}`))
    mkdirSync(join(room, 'logs', 'b'), { recursive: true })
    place('logs/c.log.zst', zstdCompressSync(logs[3] as string))
    const zip = zipOf({ 'y.log': logs[2] as string, 'x.log': logs[1] as string, '__MACOSX/x': 'x' })
    place('logs/b/two.zip', Buffer.concat([zip, Buffer.from('\n')]))
    place('logs/a.log', logs[0] as string)
    place('logs/b/notes.txt', 'no log')
    place('logs/z.log.gz', gzipSync(logs.join('')).subarray(0, 30))
    const { info, refusedFiles } = await run(join(room, 'logs'))
    expect(
      readFileSync(join(room, 'set', 'hosts.txt'), 'utf8')
        .split('\n')
        .filter((host) => !host.endsWith('.0.2')),
    ).toEqual(['10.0.0.1', '10.0.0.3', '10.0.0.4', ''])
    expect(info.sources.map((source) => source.name)).toEqual([
      'a.log',
      'b/two.zip:x.log',
      'b/two.zip:y.log',
      'c.log.zst',
    ])
    expect(refusedFiles.map((file) => file.name)).toEqual(['b/notes.txt', 'z.log.gz'])
  })

  it('does not follow links that lead in circles', async () => {
    mkdirSync(join(room, 'logs'))
    place('logs/a.log', HEADER + row(1, '10.0.0.1'))
    symlinkSync('.', join(room, 'logs', 'again'))
    symlinkSync('a.log', join(room, 'logs', 'b.log'))
    expect((await run(join(room, 'logs'))).info.rows).toBe(2)
  })

  it('takes the records of a JSON array, and notices when the file ends in the middle of one', async () => {
    const alert = (flow_id: number) => ({
      timestamp: '2021-06-06T16:00:10+0000',
      event_type: 'alert',
      flow_id,
      src_ip: '10.0.0.1',
      dest_ip: '10.0.0.2',
      alert: { severity: 1, category: 'C' },
    })
    const text = JSON.stringify([alert(1), alert(2)], null, 2)
    expect((await run(place('alerts.json', text))).info).toMatchObject({ rows: 2, sources: [{ truncated: false }] })
    const cut = (await run(place('alerts.json', text.slice(0, -40)))).info
    expect(cut).toMatchObject({ rows: 1, sources: [{ truncated: true, refused: { json: 1 } }] })
  })

  it('goes on past lines that do not parse, counts them by reason, and keeps a sample', async () => {
    const bad = Array.from({ length: 5000 }, (_, i) =>
      i % 2 === 0 ? `x${i}\t10.0.0.1\t10.0.0.2\tBenign\t-\n` : `${i}\t10.0.0.01\t10.0.0.2\tBenign\t-\n`,
    )
    const { info, refusedLines, quarantinedLines } = await run(
      place('conn.log', HEADER + bad.join('') + row(1, '10.0.0.1')),
    )
    expect(info.rows).toBe(1)
    expect(info.sources[0]?.refused).toEqual({ time: 2500, address: 2500 })
    expect(refusedLines).toBe(5000)
    const samples = readFileSync(join(room, 'quarantine', 'refused.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { line: number; reason: string; text: string })
    expect(samples).toHaveLength(quarantinedLines)
    expect(quarantinedLines).toBeGreaterThan(100)
    expect(quarantinedLines).toBeLessThan(500)
    expect(samples[0]).toEqual({ file: 'conn.log', line: 3, reason: 'time', text: 'x0\t10.0.0.1\t10.0.0.2\tBenign\t-' })
    expect(samples.at(-1)?.line).toBeGreaterThan(3000)
  })

  it('notices a log that ends in the middle of a line, and not one that merely lacks the last line end', async () => {
    const whole = HEADER + row(1, '10.0.0.1') + row(2, '10.0.0.1')
    expect((await run(place('conn.log', whole.slice(0, -20)))).info.sources[0]).toMatchObject({
      truncated: true,
      interactions: 1,
      refused: { 'field-count': 1 },
    })
    expect((await run(place('conn.log', whole.slice(0, -1)))).info.sources[0]).toMatchObject({
      truncated: false,
      interactions: 2,
    })
  })

  it('drops a line without end in bounded memory, and reads the next', async () => {
    const { info } = await run(place('conn.log', `${HEADER}${'x'.repeat(5 << 20)}\n${row(1, '10.0.0.1')}`))
    expect(info.sources[0]).toMatchObject({ interactions: 1, refused: { 'line-too-long': 1 }, truncated: false })
  })

  it('refuses what is no log, and damaged gzip, and leaves the older data set as it was', async () => {
    await run(place('conn.log', HEADER + row(1, '10.0.0.1')))
    const damaged = gzipSync(
      HEADER + Array.from({ length: 9000 }, (_, i) => row(i, `10.0.${i % 200}.1`)).join(''),
    ).subarray(0, 3000)
    for (const content of ['hello\nworld\n', '[\n  {\n', '[]', '', damaged]) {
      await expect(run(place('other', content))).rejects.toMatchObject({ code: 'input-invalid' })
    }
    await expect(run(join(room, 'missing'))).rejects.toMatchObject({ code: 'input-invalid' })
    expect(readdirSync(room).filter((name) => name.startsWith('set'))).toEqual(['set'])
    expect(readFileSync(join(room, 'set', 'hosts.txt'), 'utf8')).toBe('10.0.0.1\n10.0.0.2\n')
  })

  it('says that the disk is full, keeps the older data set, and succeeds when there is space again', async (context) => {
    const disk = smallDisk('2m')
    if (disk === undefined) return context.skip('needs root on Linux')
    const into = {
      format: 'auto',
      localNetworks: [],
      directory: join(disk.directory, 'set'),
      quarantineDirectory: room,
    } as const
    const small = place('small.log', HEADER + row(1, '10.0.0.1'))
    const large = place('large.log', HEADER + Array.from({ length: 20_000 }, (_, i) => row(i, '10.0.0.1')).join(''))
    try {
      await ingest({ ...into, paths: [small] })
      await expect(ingest({ ...into, paths: [large] })).rejects.toMatchObject({ code: 'storage-full', retryable: true })
      expect(readdirSync(disk.directory)).toEqual(['set'])
      expect(readFileSync(join(into.directory, 'rows.bin'))).toHaveLength(32)
      expect((await ingest({ ...into, paths: [small] })).info.rows).toBe(1)
    } finally {
      disk.remove()
    }
  })

  it('survives any bytes', async () => {
    const noise = Uint8Array.from({ length: 200_000 }, (_, i) => (i * i * 31 + (i >> 3)) & 255)
    const { info } = await run(
      place('conn.log', Buffer.concat([Buffer.from(HEADER), noise, Buffer.from(`\n${row(1, '10.0.0.1')}`)])),
    )
    expect(info.rows).toBe(1)
  })
})

describe('ingest of public captures', () => {
  const cases: [string, object][] = [
    [
      'zeek/ctu-sme-11-win.conn.log.labeled.gz',
      { rows: 766, labels: { benign: 44, attack: 719, unknown: 3, stealthy: 719 } },
    ],
    [
      'zeek/otrf-apt29-day1.combined_zeek.jsonl.gz',
      { rows: 613, labels: { benign: 0, attack: 0, unknown: 613, stealthy: 0 } },
    ],
    ['zeek/otrf-apt29-day2.combined_zeek.jsonl.gz', { rows: 1172 }],
    ['zeek/slips-test9.conn.jsonl.gz', { rows: 576, hosts: 122 }],
    [
      'suricata/slips-test6.eve.json.gz',
      { rows: 3777, labels: { benign: 3146, attack: 631, unknown: 0, stealthy: 631 } },
    ],
    ['zeek/wrccdc2018.dns.log.gz', { rows: 0 }],
    ['suricata/wrccdc-2017.alerts.json.gz', { rows: 85, labels: { benign: 0, attack: 85, unknown: 0, stealthy: 85 } }],
  ]
  it.each(cases)('refuses no line of %s (reads shared data)', async (name, expected) => {
    const path = sharedPath(`data/${name}`)
    if (path === undefined) return
    const { info, refusedLines } = await run(path)
    expect(info).toMatchObject(expected)
    expect(refusedLines).toBe(0)
  })
})
