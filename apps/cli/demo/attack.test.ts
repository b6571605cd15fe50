import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Block } from '../../../src/ledger/block.ts'
import type { Trainer } from '../../../src/node/ports.ts'
import { containment, defenceAgainst, liarsAmong, parseAttack } from './attack.ts'
import { requireDemo, signFlipping } from './attacker.ts'
import { parseDemoOptions } from './options.ts'
import type { OrganisationSummary } from './report.ts'

const org = (id: string, learns = true): OrganisationSummary => ({
  id,
  interactions: 1,
  positives: 1,
  stealthyPositives: 1,
  investigated: [],
  learns,
})

describe('--attack', () => {
  it('takes a kind and a number, and nothing else', () => {
    expect(parseAttack('signflip:2')).toEqual({ kind: 'signflip', liars: 2 })
    expect(parseAttack('signflip')).toEqual({ kind: 'signflip', liars: 1 })
    for (const text of ['', 'flood:1', 'signflip:0', 'signflip:-1', 'signflip:1:2', 'signflip:x', 'signflip:1e1'])
      expect(() => parseAttack(text), text).toThrow('--attack takes signflip:N')
  })

  it('is refused before anything is set up where it could not be contained', () => {
    const raw = { orgs: '5', labels: 'own', seed: '1', attack: 'signflip:1' }
    expect(parseDemoOptions(raw).attack).toEqual({ kind: 'signflip', liars: 1 })
    expect(() => parseDemoOptions({ ...raw, orgs: '4' })).toThrow('4 organisations are too few')
    expect(() => parseDemoOptions({ ...raw, protect: 'secagg' })).toThrow('median against 1 needs 3 buckets')
    expect(parseDemoOptions({ ...raw, orgs: '9', protect: 'secagg' }).protect).toBe('secagg')
    expect(() => parseDemoOptions({ ...raw, robust: 'krum:9' })).toThrow('too few')
    expect(parseDemoOptions({ ...raw, orgs: '2', robust: 'none' }).robust?.rule).toBe('none')
  })

  it('makes liars of the last that learn, and leaves somebody honest', () => {
    const orgs = [org('a'), org('b'), org('c', false), org('d')]
    expect(liarsAmong(orgs, { kind: 'signflip', liars: 2 }).map(({ id }) => id)).toEqual(['b', 'd'])
    expect(liarsAmong(orgs, undefined)).toEqual([])
    expect(() => liarsAmong(orgs, { kind: 'signflip', liars: 3 })).toThrow('leaves nobody honest')
    expect(defenceAgainst({ kind: 'signflip', liars: 2 })).toMatchObject({ rule: 'multi-krum', f: 2 })
    expect(defenceAgainst({ kind: 'signflip', liars: 2 }, 'secagg')).toMatchObject({ rule: 'median', f: 2 })
  })
})

const block = (metrics: object, names: readonly string[] = ['a', 'b', 'c']): Block =>
  ({
    aggregation_metrics: metrics,
    provenance: { round_id: 'r', participants: names.map((org_id) => ({ org_id })) },
  }) as unknown as Block

describe('what the ledger says of an attack', () => {
  it('counts lies that were left out or called unusual, and honest ones that were called so', () => {
    const robust = { robust_rule: 'multi-krum', robust_left_out: [2], robust_flagged: [1], robust_against: [2] }
    const blocks = [
      block({}, []),
      block(robust),
      block({ ...robust, robust_left_out: [0], robust_flagged: [], robust_against: [] }),
    ]
    const found = containment(blocks, { kind: 'signflip', liars: 1 }, new Set(['c']))
    expect(found).toMatchObject({ rule: 'multi-krum', rounds: 2, lies: 2, leftOut: 1, flagged: 1, falseFlags: 1 })
    expect(Object.keys(found.reputations)).toEqual(['a', 'b', 'c'])
    expect(found.reputations['c']).toBeLessThan(found.reputations['a'] ?? 0)
  })

  it('counts a liar as named where the bucket is that it hides in, and the honest of that bucket, too', () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f']
    const metrics = {
      robust_rule: 'median',
      buckets: [
        [0, 1, 2],
        [3, 4, 5],
      ],
      bucket_left_out: [1],
      bucket_flagged: [1],
    }
    const found = containment([block(metrics, names)], { kind: 'signflip', liars: 1 }, new Set(['d']))
    expect(found).toMatchObject({ lies: 1, leftOut: 1, flagged: 1, falseFlags: 2 })
  })

  it('says so where a mean was taken', () => {
    const found = containment([block({})], { kind: 'signflip', liars: 1 }, new Set(['c']))
    expect(found).toMatchObject({ rule: null, lies: 1, leftOut: 0, flagged: 0 })
  })
})

describe('the organisation that lies', () => {
  it('answers three times the opposite of what it learned', async () => {
    const trainer = { train: async () => ({ parameters: Float32Array.of(2, 1), summary: { sampleCount: 7 } }) }
    const request = { parameters: Float32Array.of(1, 2) } as Parameters<Trainer['train']>[0]
    const { parameters, summary } = await signFlipping(trainer as unknown as Trainer).train(request)
    expect([...parameters]).toEqual([-2, 5])
    expect(summary).toMatchObject({ sampleCount: 7 })
  })

  let directory: string
  beforeAll(async () => void (directory = await mkdtemp(join(tmpdir(), 'entente-attacker-'))))
  afterAll(() => rm(directory, { recursive: true }))
  const configured = async (federation: string, url: string): Promise<string> => {
    const lines = [
      'role: organisation',
      `federation: ${federation}`,
      'organisation: bank-a',
      'listen:',
      '  host: 127.0.0.1',
      '  port: 0',
    ]
    await writeFile(join(directory, 'entente.yaml'), [...lines, 'hub:', `  urls: ['${url}']`, ''].join('\n'))
    return directory
  }

  it('is started in a demo on this machine, and refused in any other federation', async () => {
    await expect(requireDemo(await configured('demo.entente.example', 'https://127.0.0.1:1'))).resolves.toBeUndefined()
    for (const [federation, url] of [
      ['finance-isac.example', 'https://127.0.0.1:1'],
      ['demo.entente.example', 'https://hub.example:1'],
    ] as const)
      await expect(requireDemo(await configured(federation, url))).rejects.toMatchObject({ code: 'forbidden' })
  })
})
