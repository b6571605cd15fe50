import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { IngestSummary } from './ingest.ts'

const program = fileURLToPath(new URL('../../../bin/entente.mjs', import.meta.url))
const HEADER = '#path\tconn\n#fields\tts\tid.orig_h\tid.resp_h\n'
const row = (time: number | string): string => `${time}\t10.0.0.1\t10.0.0.2\n`

let room: string
beforeEach(() => {
  room = mkdtempSync(join(tmpdir(), 'entente-ingest-cli-'))
})
afterEach(() => rmSync(room, { recursive: true, force: true }))

function place(name: string, content: string | Uint8Array): string {
  writeFileSync(join(room, name), content)
  return join(room, name)
}

interface Running {
  readonly child: ChildProcess
  readonly ended: Promise<{ code: number; stdout: string; stderr: string }>
}

function begin(...args: string[]): Running {
  const child = spawn(process.execPath, [program, 'ingest', ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  const said = { stdout: '', stderr: '' }
  child.stdout.on('data', (text: Buffer) => (said.stdout += text.toString()))
  child.stderr.on('data', (text: Buffer) => (said.stderr += text.toString()))
  return { child, ended: once(child, 'close').then(([code]) => ({ code: code as number, ...said })) }
}

const entente = (...args: string[]) => begin(...args).ended

describe('entente ingest', () => {
  it('counts rows, kinds and refused lines of what it is given, and writes nothing', async () => {
    place('conn.log', HEADER + row(1) + row('x') + row(2))
    place(
      'dns.log.gz',
      gzipSync(`#path\tdns\n#fields\tts\tid.orig_h\tid.resp_h\tquery\n3\t10.0.0.1\t10.0.0.2\ta.example\n`),
    )
    place('notes.txt', 'no log')
    const { code, stdout } = await entente(room, '--dry-run', '--json')
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      rows: 3,
      kinds: { flow: 2, dns: 1 },
      refused: { time: 1 },
      refusedLines: 1,
      refusedFiles: [{ name: 'notes.txt' }],
    } satisfies Partial<Record<keyof IngestSummary, unknown>>)
    expect(readdirSync(room)).toHaveLength(3)
    const text = await entente(room)
    expect(text.stdout).toMatch(/^rows +3$/m)
    expect(text.stdout).toMatch(/^refused lines +time 1$/m)
    expect(text.stdout).toMatch(/^refused files +1$/m)
  })

  it('does not let a log write on the terminal', async () => {
    const { stdout } = await entente(place('x.json', `${JSON.stringify({ ts: 1, _path: '\u001b[2Jx\u202e' })}\n`))
    expect(stdout).toContain('?[2Jx? 1')
  })

  it('writes a data set of connections, and replaces nothing but a data set', async () => {
    const log = place('conn.log', HEADER + row(1) + row('x'))
    const set = join(room, 'set')
    for (let i = 0; i < 2; i++) {
      const { code, stdout } = await entente(log, '--out', set, '--json')
      expect([code, (JSON.parse(stdout) as IngestSummary).directory]).toEqual([0, set])
    }
    expect(readdirSync(set).sort()).toEqual(['dataset.json', 'features.f32', 'hosts.txt', 'refused.jsonl', 'rows.bin'])
    const { code, stderr } = await entente(log, '--out', room)
    expect(code).toBe(1)
    expect(stderr).toContain('already-exists')
    expect(existsSync(log)).toBe(true)
  })

  it('fails for what is no log, and for a file of which no line was understood', async () => {
    for (const args of [
      [join(room, 'missing')],
      [place('notes.txt', 'hello\n')],
      [place('eve.json', 'hello\n'), '--format', 'suricata-eve'],
    ]) {
      const { code, stderr } = await entente(...args, '--json')
      expect(code).toBe(1)
      expect(stderr).toContain('input-invalid')
    }
  })

  it('follows a log until it is interrupted, says what it read, and leaves interactions that can be ingested', async () => {
    const log = place('conn.log', HEADER + row(1))
    const out = join(room, 'followed')
    const { child, ended } = begin(log, '--follow', '--out', out, '--json')
    const interactions = join(out, 'interactions.jsonl')
    const lines = () => (existsSync(interactions) ? readFileSync(interactions, 'utf8').split('\n').length - 1 : 0)
    await vi.waitFor(() => expect(lines()).toBe(1), 20_000)
    appendFileSync(log, row(2))
    await vi.waitFor(() => expect(lines()).toBe(2), 20_000)
    child.kill('SIGINT')
    const { code, stdout } = await ended
    expect([code, JSON.parse(stdout)]).toMatchObject([0, { rows: 2, kinds: { flow: 2 }, rotations: 0, directory: out }])
    expect((await entente(interactions, '--out', join(room, 'set'))).code).toBe(0)
  })
})
