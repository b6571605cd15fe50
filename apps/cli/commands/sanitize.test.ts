import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { sanitizeCommand } from './sanitize.ts'

let room = ''
const printed = { out: '', err: '' }
beforeEach(() => {
  room = mkdtempSync(join(tmpdir(), 'entente-sanitize-'))
  Object.assign(printed, { out: '', err: '' })
  const collect = (to: 'out' | 'err') => (text: unknown, done?: unknown) => {
    printed[to] += String(text)
    if (typeof done === 'function') done()
    return true
  }
  vi.spyOn(process.stdout, 'write').mockImplementation(collect('out') as typeof process.stdout.write)
  vi.spyOn(process.stderr, 'write').mockImplementation(collect('err') as typeof process.stderr.write)
  writeFileSync(join(room, 'auth.log'), 'Accepted password for carla from 10.1.1.1 port 22\n')
})
afterEach(() => {
  vi.restoreAllMocks()
  rmSync(room, { recursive: true, force: true })
})

const run = (...args: string[]): Promise<unknown> =>
  sanitizeCommand().parseAsync(['node', 'sanitize', join(room, 'auth.log'), ...args])

describe('entente sanitize', () => {
  it('writes lines to standard output and says on standard error what it took, and that text needs a reader', async () => {
    await run()
    expect(printed.out).toMatch(/^Accepted password for user-\S{16} from \d+\.\d+\.\d+\.\d+ port 22\n$/)
    expect(printed.err).toContain('ip-address 1, user-name 1')
    expect(printed.err).toContain('what no detector recognises is still there')
    expect(printed.out + printed.err).not.toContain('carla')
  })

  it('with a file of keys gives the same lines again, and reports in JSON without a value', async () => {
    const at = (name: string): string => join(room, name)
    await run('--keys', at('keys.json'), '--output', at('a.log'), '--report', at('report.json'), '--json')
    await run('--keys', at('keys.json'), '--output', at('b.log'))
    expect(readFileSync(at('a.log'), 'utf8')).toBe(readFileSync(at('b.log'), 'utf8'))
    const report = readFileSync(at('report.json'), 'utf8')
    expect(JSON.parse(printed.out)).toEqual(JSON.parse(report))
    expect(JSON.parse(report)).toMatchObject({ linesIn: 1, detectors: { 'user-name': 1, 'ip-address': 1 } })
    expect(report).not.toMatch(/carla|10\.1\.1\.1|auth/)
  })

  it('with a file of keys gives lines for another epoch or federation that cannot be linked with the first', async () => {
    const line = async (...scope: string[]): Promise<string> => {
      await run('--keys', join(room, 'keys.json'), '--output', join(room, 'out.log'), ...scope)
      return readFileSync(join(room, 'out.log'), 'utf8')
    }
    const lines = [await line(), await line('--epoch', '2'), await line('--federation', 'isac')]
    expect(new Set(lines.map((text) => /user-\S{16}/.exec(text)?.[0])).size).toBe(3)
    expect(new Set(lines.map((text) => /\d+\.\d+\.\d+\.\d+/.exec(text)?.[0])).size).toBe(3)
    expect(await line()).toBe(lines[0])
  })

  it('in a dry run writes nothing', async () => {
    await run('--dry-run', '--json', '--output', join(room, 'out.log'), '--keys', join(room, 'keys.json'))
    expect(existsSync(join(room, 'out.log'))).toBe(false)
    expect(existsSync(join(room, 'keys.json'))).toBe(false)
    expect(JSON.parse(printed.out)).toMatchObject({ linesOut: 1 })
  })

  it('does not print lines and a JSON report into one stream', async () => {
    await expect(run('--json')).rejects.toMatchObject({ code: 'config-invalid' })
  })
})
