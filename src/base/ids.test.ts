import { describe, expect, it } from 'vitest'
import { EntenteError, ERRORS, fail, isErrorCode } from './errors.ts'
import { digestOf, sha256Hex } from './hash.ts'
import { digest, federationId, isDigest, organisationId, roundId, trainingId } from './ids.ts'
import { utf8 } from './bytes.ts'

describe('names', () => {
  it('of organisations are lowercase labels that are no part of a path, a prototype or a role', () => {
    for (const good of ['a', 'bank-a', '0', 'constructor', 'a'.repeat(63)]) expect(organisationId(good)).toBe(good)
    for (const bad of [
      '',
      'hub',
      'operator',
      'Bank',
      'a_b',
      '__proto__',
      '-a',
      'a-',
      'a.b',
      '../a',
      'a'.repeat(64),
      'a\n',
    ])
      expect(() => organisationId(bad), bad).toThrow(EntenteError)
  })

  it('of federations, trainings and rounds are checked', () => {
    expect(federationId('finance-isac.example')).toBe('finance-isac.example')
    for (const bad of ['', '.a', 'a.', 'A', 'a b', 'a'.repeat(128), 'a\n'])
      expect(() => federationId(bad)).toThrow(EntenteError)
    expect([trainingId('t1'), roundId('t1-2')]).toEqual(['t1', 't1-2'])
    for (const bad of ['', 'T', 'a/b', 'a\n', 'a'.repeat(81)]) {
      expect(() => trainingId(bad)).toThrow(EntenteError)
      expect(() => roundId(bad)).toThrow(EntenteError)
    }
  })

  it('of digests are 64 lowercase hex digits', () => {
    const hash = sha256Hex(utf8('abc'))
    expect(hash).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
    expect(digest(hash)).toBe(hash)
    for (const bad of [hash.toUpperCase(), hash.slice(1), `${hash}0`, `${hash}\n`, 7, null])
      expect(isDigest(bad)).toBe(false)
    expect(() => digest('x')).toThrow(EntenteError)
    expect(digestOf({ b: 1, a: 2 })).toBe(sha256Hex(utf8('{"a":2,"b":1}')))
  })
})

describe('errors', () => {
  it('carry a code of the closed list, its status, whether to retry, and details', () => {
    const raise = (): never => fail('storage-full', 'no room', { needed: 7 })
    expect(raise).toThrow(
      expect.objectContaining({
        code: 'storage-full',
        status: 507,
        retryable: true,
        message: 'no room',
        details: { needed: 7 },
      }),
    )
  })

  it('have no codes from a prototype', () => {
    for (const name of ['constructor', 'toString', '__proto__', 7, undefined]) expect(isErrorCode(name)).toBe(false)
    expect(Object.keys(ERRORS).every(isErrorCode)).toBe(true)
  })

  it('each have an HTTP status of an error and a meaning', () => {
    for (const { status, meaning } of Object.values(ERRORS))
      expect(status >= 400 && status < 600 && meaning.length > 10).toBe(true)
  })
})
