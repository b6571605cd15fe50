import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { organisationId } from '../../../src/base/ids.ts'
import { holdCeremony, readParameterFile, readShareFile } from '../../../src/node/homomorphic/ceremony.ts'
import { openScheme } from '../../../src/node/homomorphic/open.ts'
import { dealForTest } from '../../../src/privacy/homomorphic/paillier/fixtures.ts'
import { keysCommand } from './keys.ts'

/** Safe primes of a true size take long to find. */
vi.mock('../../../src/node/homomorphic/hybrid.ts', async (original) => {
  const { dealHybridForTest } = await import('../../../src/privacy/homomorphic/hybrid/fixtures.ts')
  return { ...(await original<object>()), dealNewHybrid: dealHybridForTest }
})

const NAMES = ['bank-a', 'hospital-b', 'utility-c']
const CEREMONY = {
  kind: 'ckks',
  direct: false,
  organisations: NAMES.map(organisationId),
  threshold: 3,
  modulusBits: 2048,
  exponentBits: 256,
  set: '50-50',
  levels: 100,
  contributionsMax: 3,
} as const
let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'entente-keys-'))
})
afterAll(() => rm(directory, { recursive: true, force: true }))

const run = (...parameters: string[]): Promise<unknown> =>
  keysCommand().exitOverride().parseAsync(parameters, { from: 'user' })

describe('entente keys deal', () => {
  it('writes one parameter file and a share file for each, readable by nobody else', async () => {
    const output = join(directory, 'ckks')
    await run('deal', '--scheme', 'ckks', '--organisations', NAMES.join(','), '--output', output, '--json')
    const expected = [...NAMES.map((name) => `${name}.share.json`), 'parameters.json'].sort()
    expect((await readdir(output)).sort()).toEqual(expected)
    for (const name of NAMES) expect((await stat(join(output, `${name}.share.json`))).mode & 0o777).toBe(0o600)
    const parameters = await readParameterFile(join(output, 'parameters.json'))
    expect(await openScheme(parameters, 0)).toMatchObject({ kind: 'ckks', threshold: 3, contributionsMax: 3 })
    const own = await readShareFile(join(output, 'utility-c.share.json'), parameters)
    expect(own.organisation).toBe('utility-c')
  })

  it('does not overwrite a key, and takes no modulus that is too short', async () => {
    const output = join(directory, 'ckks')
    const before = await readFile(join(output, 'parameters.json'), 'utf8')
    const names = ['--organisations', NAMES.join(',')]
    await expect(run('deal', '--scheme', 'ckks', ...names, '--output', output)).rejects.toMatchObject({
      code: 'already-exists',
    })
    expect(await readFile(join(output, 'parameters.json'), 'utf8')).toBe(before)
    await expect(run('deal', ...names, '--bits', '512', '--output', join(directory, 'x'))).rejects.toThrow(
      '2048 or 3072',
    )
    await expect(run('deal', '--organisations', 'a,a', '--output', join(directory, 'x'))).rejects.toThrow('twice')
  })

  it.each([
    ['for two organisations: no round takes two', ['--organisations', 'a,b']],
    ['that one of three could open alone', ['--organisations', 'a,b,c', '--threshold', '1']],
    ['that two of four could open, and the other two as well', ['--organisations', 'a,b,c,d', '--threshold', '2']],
    ['that more than there are would have to open', ['--organisations', 'a,b,c', '--threshold', '4']],
    ['with a threshold that is no number', ['--organisations', 'a,b,c', '--threshold', 'most']],
    ['of no levels', ['--organisations', 'a,b,c', '--levels', '0']],
  ])('deals no key %s, of either scheme', async (_, options) => {
    const output = join(directory, 'unsound')
    for (const scheme of ['paillier', 'ckks'])
      await expect(run('deal', '--scheme', scheme, ...options, '--output', output)).rejects.toMatchObject({
        code: 'config-invalid',
      })
    await expect(stat(output)).rejects.toThrow('ENOENT')
  })

  it('opens what it dealt before it writes any of it: sums that have no room are found then', async () => {
    const output = join(directory, 'unopened')
    const options = ['--organisations', NAMES.join(','), '--levels', String(10 ** 9)]
    await expect(run('deal', ...options, '--output', output)).rejects.toMatchObject({ code: 'input-invalid' })
    expect(await readdir(output)).toEqual([])
  })
})

describe('a share file', () => {
  it('is refused when others may read it, when it is another key’s, and when it was changed', async () => {
    const request = { organisations: NAMES.map(organisationId), threshold: 2, levels: 100, contributionsMax: 3 }
    const { parameters, shares } = dealForTest(request)
    const path = join(directory, 'share.json')
    const put = (share: unknown, mode: number): Promise<void> =>
      rm(path, { force: true }).then(() => writeFile(path, JSON.stringify(share), { mode }))
    await put(shares[0]?.share, 0o644)
    await expect(readShareFile(path, parameters)).rejects.toThrow('chmod 600')
    await put(shares[0]?.share, 0o600)
    expect((await readShareFile(path, parameters)).organisation).toBe('bank-a')
    const share = shares[0]?.share as { share: string }
    await put({ ...share, share: share.share.replace(/.$/, (last) => (last === '0' ? '1' : '0')) }, 0o600)
    await expect(readShareFile(path, parameters)).rejects.toThrow('not behind its verification key')
    await expect(readShareFile(path, dealForTest(request, 'other').parameters)).rejects.toMatchObject({
      details: { reason: 'wrong-parameters' },
    })
    await writeFile(path, '{"share": 5', { mode: 0o600 })
    await expect(readShareFile(path, parameters)).rejects.toThrow('is not JSON')
  })

  it('is missing until every share of the ceremony is written: a directory with parameters has them all', async () => {
    const output = join(directory, 'failed')
    // Sums of more bits than CKKS has room for: found when what was dealt is opened.
    await expect(holdCeremony(output, { ...CEREMONY, levels: 2 ** 20 })).rejects.toMatchObject({
      code: 'input-invalid',
    })
    expect(await readdir(output)).toEqual([])
  })
})
