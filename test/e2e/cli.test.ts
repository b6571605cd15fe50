/** `entente` as its users meet it: help, exit codes, errors for programs, evidence that someone has tampered with. */

import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { run } from '../../apps/cli/program.ts'
import { createProcessGroup } from '../../apps/cli/demo/processes.ts'
import { encodeExport, type LedgerExport } from '../../src/ledger/export.ts'
import { exportOf as exported, KEYS, trained } from '../../src/ledger/fixtures.ts'

const sealedLedger = (): LedgerExport => exported(trained(3))
const exportOf = encodeExport

const processes = createProcessGroup()
let directory = ''

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'entente-cli-'))
})

afterAll(async () => {
  await processes.stop()
  await rm(directory, { recursive: true, force: true })
})

/** In this process: for what is asked many times. */
async function runHere(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const said = { stdout: '', stderr: '' }
  const keep = (name: keyof typeof said) => (text: string | Uint8Array) => {
    said[name] += String(text)
    return true
  }
  const out = vi.spyOn(process.stdout, 'write').mockImplementation(keep('stdout'))
  const err = vi.spyOn(process.stderr, 'write').mockImplementation(keep('stderr'))
  try {
    const neverServed = () => Promise.reject(new Error('this test serves nothing'))
    const code = await run(['node', 'entente', ...args], { serveHub: neverServed, serveControl: neverServed })
    return { code, ...said }
  } finally {
    out.mockRestore()
    err.mockRestore()
  }
}

/** Names below a command, as its help lists them. */
function subcommandsIn(help: string): string[] {
  const [, listed = ''] = help.split('\nCommands:\n')
  const names = [...(listed.split('\n\n')[0] ?? '').matchAll(/^ {2}([a-z][a-z-]*)/gm)].map(([, name]) => name ?? '')
  return names.filter((name) => name !== 'help')
}

async function commandsBelow(path: readonly string[]): Promise<string[][]> {
  const { stdout } = await runHere(...path, '--help')
  const names = subcommandsIn(stdout)
  const below: string[][] = []
  // One after another: standard output is caught for one command at a time.
  for (const name of names) below.push(...(await commandsBelow([...path, name])))
  return names.length === 0 ? [[...path]] : below
}

describe('help', () => {
  it('of every command ends with 0 and shows an example of that very command', async () => {
    const commands = await commandsBelow([])
    expect(commands.length).toBeGreaterThan(15)
    for (const command of commands) {
      const { code, stdout } = await runHere(...command, '--help')
      expect({ command, code }).toEqual({ command, code: 0 })
      expect(stdout).toMatch(new RegExp(`Examples?:\\n  \\$ entente ${command.join(' ')}\\b`))
    }
  })

  it('documents the exit codes, and comes as a process of its own with 0', async () => {
    const { code, stdout } = await processes.run(['--help'])
    expect(code).toBe(0)
    for (const documented of ['0', '1', '2', '3', '4'])
      expect(stdout).toMatch(new RegExp(`^ {2}${documented}  \\w`, 'm'))
  })
})

describe('exit codes', () => {
  it.each([
    { name: 'an unknown option', args: ['status', '--no-such-option'] },
    { name: 'an unknown command', args: ['no-such-command'] },
    { name: 'a missing argument', args: ['ledger', 'verify'] },
    { name: 'a value that is no number', args: ['demo', '--rounds', 'many'] },
    { name: 'a directory without a configuration', args: ['status', '--dir', '/nonexistent/node'] },
    { name: 'a file of keys that is none', args: ['ledger', 'verify', 'LEDGER', '--keys', 'LEDGER'] },
  ])('2 for $name', async ({ args }) => {
    const path = join(directory, 'good.ledger.json')
    await writeFile(path, exportOf(sealedLedger()))
    const { code, stderr } = await runHere(...args.map((arg) => (arg === 'LEDGER' ? path : arg)))
    expect({ code, said: stderr.length > 0 }).toEqual({ code: 2, said: true })
    expect(stderr).not.toMatch(/\n\s+at /)
  })

  it('4, as a process and in JSON, when no node runs in the directory', async () => {
    const hub = join(directory, 'hub')
    const made = await processes.run(['hub', 'init', '--federation', 'test.example', '--dir', hub, '--json'])
    expect(made.code).toBe(0)
    const { code, stdout, stderr } = await processes.run(['status', '--dir', hub, '--json'])
    expect({ code, stdout }).toEqual({ code: 4, stdout: '' })
    expect(JSON.parse(stderr)).toMatchObject({ code: 'unavailable', retryable: true })
    expect((JSON.parse(stderr) as { message: string }).message).toContain('entente hub start')
  })

  it('1 for what is refused: a second hub in the same directory', async () => {
    const hub = join(directory, 'twice')
    const args = ['hub', 'init', '--federation', 'test.example', '--dir', hub, '--json']
    expect((await runHere(...args)).code).toBe(0)
    const { code, stderr } = await runHere(...args)
    expect(code).toBe(1)
    expect(JSON.parse(stderr)).toMatchObject({ code: 'already-exists', retryable: false })
  })
})

describe('errors with --json are one JSON document on standard error', () => {
  it.each([
    { name: 'an unknown option', args: ['status', '--no-such-option'], exit: 2 },
    { name: 'a missing option', args: ['hub', 'init'], exit: 2 },
    { name: 'a directory without a node', args: ['status', '--dir', '/nonexistent/node'], exit: 2 },
    { name: 'a file that is not there', args: ['ledger', 'verify', '/nonexistent', '--keys', '/nonexistent'], exit: 1 },
    { name: 'a directory below a file', args: ['generate-traffic', '--out', '/etc/hostname/logs'], exit: 1 },
  ])('$name', async ({ args, exit }) => {
    const { code, stdout, stderr } = await runHere(...args, '--json')
    expect({ code, stdout }).toEqual({ code: exit, stdout: '' })
    expect(JSON.parse(stderr)).toEqual(
      expect.objectContaining({
        code: expect.any(String) as string,
        message: expect.any(String) as string,
        retryable: expect.any(Boolean) as boolean,
      }),
    )
  })
})

describe('ledger verify', () => {
  async function verify(ledger: string | Uint8Array, ...more: string[]) {
    const [file, keys] = [join(directory, 'checked.ledger.json'), join(directory, 'checked.keys.json')]
    await writeFile(file, ledger)
    await writeFile(keys, JSON.stringify(KEYS))
    return runHere('ledger', 'verify', file, '--keys', keys, ...more)
  }

  it('accepts a ledger as it was sealed', async () => {
    expect(await verify(exportOf(sealedLedger()))).toMatchObject({ code: 0, stderr: '' })
  })

  it('ends with 3 and says why, wherever one byte of the file is flipped', async () => {
    const good = Buffer.from(exportOf(sealedLedger()))
    for (let position = 0; position < good.length; position += 37) {
      const bad = Buffer.from(good)
      bad[position] = (bad[position] ?? 0) ^ (1 << (position % 8))
      const { code, stdout, stderr } = await verify(bad)
      expect({ position, code, stdout }).toEqual({ position, code: 3, stdout: '' })
      expect(stderr).toMatch(/\[(ledger-invalid|malformed-json)\]/)
    }
  })

  it('ends with 3 for a file that was cut off, is empty, or is other JSON', async () => {
    const good = exportOf(sealedLedger())
    for (const bad of [good.slice(0, -100), '', '{}', 'null', '[]'])
      expect(await verify(bad)).toMatchObject({ code: 3, stdout: '' })
  })

  it('names every fault with its height, and all of them in JSON', async () => {
    const ledger = sealedLedger()
    const leaves = ledger.leaves.map((leaf, height) =>
      height === 1 || height === 3 ? leaf.replace('"gradient_norm":1.25', '"gradient_norm":1.75') : leaf,
    )
    const bad = exportOf({ ...ledger, leaves })
    const { code, stderr } = await verify(bad)
    expect(code).toBe(3)
    expect(stderr).toMatch(/height 1\b/)
    expect(stderr).toMatch(/height 3\b/)
    const { details } = JSON.parse((await verify(bad, '--json')).stderr) as {
      details: { faults: { height: number }[] }
    }
    expect(new Set(details.faults.map(({ height }) => height))).toEqual(new Set([null, 1, 3]))
  })

  it('ends a process of its own with 3, too', async () => {
    const [file, keys] = [join(directory, 'bad.json'), join(directory, 'keys.json')]
    await writeFile(file, exportOf(sealedLedger()).replace('finance', 'finanse'))
    await writeFile(keys, JSON.stringify(KEYS))
    const { code, stdout, stderr } = await processes.run(['ledger', 'verify', file, '--keys', keys])
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' })
    expect(stderr).toContain('[ledger-invalid]')
  })
})

describe('ledger prove', () => {
  it('gives a proof that verifies alone, and no longer when a byte of it is changed', async () => {
    const [file, keys, proof] = ['proved.json', 'proved-keys.json', 'proof.json'].map((name) => join(directory, name))
    await writeFile(file ?? '', exportOf(sealedLedger()))
    await writeFile(keys ?? '', JSON.stringify(KEYS))
    const made = await runHere('ledger', 'prove', '2', '--ledger', file ?? '', '--out', proof ?? '')
    expect(made).toMatchObject({ code: 0, stderr: '' })
    const check = () => runHere('ledger', 'verify', proof ?? '', '--keys', keys ?? '')
    expect(await check()).toMatchObject({ code: 0, stdout: expect.stringContaining('block 2') as string })
    const text = await readFile(proof ?? '', 'utf8')
    await writeFile(proof ?? '', text.replace('1.25', '1.75'))
    expect(await check()).toMatchObject({ code: 3, stdout: '' })
  })
})

describe('generate-traffic', () => {
  async function generate(name: string, seed: string): Promise<Record<string, Buffer>> {
    const out = join(directory, name)
    const args = ['--out', out, '--sites', '2', '--seed', seed, '--days', '1', '--interactions', '500', '--json']
    const { code } = await processes.run(['generate-traffic', ...args])
    expect(code).toBe(0)
    const names = (await readdir(out)).sort()
    return Object.fromEntries(await Promise.all(names.map(async (file) => [file, await readFile(join(out, file))])))
  }

  it('writes the same bytes for the same seed, and others for another', async () => {
    const [first, second, other] = await Promise.all([generate('a', '7'), generate('b', '7'), generate('c', '8')])
    expect(Object.keys(first)).toHaveLength(2)
    expect(second).toEqual(first)
    expect(other).not.toEqual(first)
  })
})
