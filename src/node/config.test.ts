import { describe, expect, it } from 'vitest'
import { EntenteError } from '../base/errors.ts'
import { parseConfig } from './config.ts'
import { configText } from './config-template.ts'

const HUB = 'role: hub\nfederation: isac.example\n'
const ORGANISATION =
  'role: organisation\nfederation: isac.example\norganisation: bank-a\nhub: { urls: [https://127.0.0.1:8443] }\n'

function refusal(text: string, environment: Record<string, string> = {}): string {
  try {
    parseConfig(text, environment)
  } catch (error) {
    if (error instanceof EntenteError && error.code === 'config-invalid') return error.message
    throw error
  }
  return 'accepted'
}

describe('entente.yaml', () => {
  it('has defaults for all that is not about identity', () => {
    expect(parseConfig(HUB, {})).toEqual({
      role: 'hub',
      federation: 'isac.example',
      listen: { host: '127.0.0.1', port: 0 },
      logLevel: 'info',
    })
    expect(parseConfig(ORGANISATION, {})).toMatchObject({
      data: { paths: [], format: 'auto', trainUntil: null, labels: 'all' },
    })
  })

  it('names the line and the key of a misspelt key, and what is allowed there', () => {
    expect(refusal(`${HUB}loglevel: debug\n`)).toBe(
      'entente.yaml:3: loglevel: there is no such key; allowed here: role, encryption, aggregationThreads, federation, listen, database, logLevel',
    )
    expect(refusal(`${HUB}listen:\n  host: localhost\n  prot: 1\n`)).toBe(
      'entente.yaml:5: listen.prot: there is no such key; allowed here: host, port',
    )
  })

  it('names the line, the key and the allowed values of a wrong value', () => {
    expect(refusal(`${HUB}\nlogLevel: loud\n`)).toMatch(/^entente\.yaml:4: logLevel: .*"debug"\|"trace"/)
    expect(refusal(`${HUB}listen: { port: 70000 }\n`)).toMatch(/^entente\.yaml:3: listen\.port: .*65535/)
    expect(refusal(`${ORGANISATION}data:\n  localNetworks:\n    - 10.0.0.0/8\n    - 10.0.0.0/33\n`)).toMatch(
      /^entente\.yaml:8: data\.localNetworks\.1: expected a network like/,
    )
    expect(
      refusal('role: organisation\nfederation: isac.example\norganisation: HUB\nhub: { urls: [https://h] }'),
    ).toMatch(/^entente\.yaml:3: organisation: "HUB" cannot name an organisation/)
    expect(refusal('role: hub\nfederation: isac.example\norganisation: a\n')).toMatch(
      /^entente\.yaml:3: organisation: there is no such key/,
    )
  })

  it('says what is missing', () => {
    expect(refusal('role: hub\n')).toMatch(/federation: /)
    expect(refusal('federation: isac.example\n')).toMatch(/role: /)
    expect(refusal('')).toMatch(/^entente\.yaml:1: /)
  })

  it('refuses what is not YAML, with its line', () => {
    expect(refusal('role: hub\n  federation: [\n')).toMatch(/^entente\.yaml:\d: not YAML/)
  })

  it('puts environment variables into values, and refuses one that is not set', () => {
    const text = `${HUB}database:\n  url: \${PGURL}\n`
    expect(parseConfig(text, { PGURL: 'postgres://u@h/d' }).database).toEqual({ url: 'postgres://u@h/d' })
    expect(refusal(text)).toBe('entente.yaml:4: database.url: the environment variable PGURL is not set')
  })

  it('does not read a value of the environment as YAML', () => {
    expect(refusal('role: hub\nfederation: ${NAME}\n', { NAME: 'a\nlogLevel: debug' })).toMatch(
      /^entente\.yaml:2: federation/,
    )
  })

  it('says how to write a variable inside braces', () => {
    expect(refusal(`${HUB}database: { url: \${PGURL} }\n`, { PGURL: 'postgres://u@h/d' })).toMatch(/in quotes/)
  })

  it('takes DATABASE_URL before the file', () => {
    expect(
      parseConfig(`${HUB}database: { url: postgres://file/d }\n`, { DATABASE_URL: 'postgres://environment/d' }).database
        ?.url,
    ).toBe('postgres://environment/d')
    expect(parseConfig(HUB, { DATABASE_URL: 'postgres://environment/d' }).database?.url).toBe(
      'postgres://environment/d',
    )
  })

  it('takes limits of purposes beside the limit of all, and the purposes that are served', () => {
    const limited = `${ORGANISATION}privacyBudget:\n  epsilon: 6\n  purposes: { tuning: { epsilon: 2 } }\npurposes: [training]\n`
    expect(parseConfig(limited, {})).toMatchObject({
      privacyBudget: { epsilon: 6, delta: 1e-5, purposes: { tuning: { epsilon: 2, delta: 1e-5 } } },
      purposes: ['training'],
    })
    const without = parseConfig(ORGANISATION, {})
    expect(without).toMatchObject({ privacyBudget: { epsilon: 8, delta: 1e-5, purposes: {} } })
    expect(without).not.toHaveProperty('purposes')
    expect(refusal(`${ORGANISATION}privacyBudget: { purposes: { Tuning: { epsilon: 2 } } }\n`)).toMatch(
      /^entente\.yaml:5: privacyBudget\.purposes\.Tuning: expected a purpose like "tuning"/,
    )
    expect(refusal(`${ORGANISATION}privacyBudget: { purposes: { tuning: { delta: 1e-6 } } }\n`)).toMatch(
      /^entente\.yaml:5: privacyBudget\.purposes\.tuning\.epsilon: /,
    )
    expect(refusal(`${ORGANISATION}purposes: []\n`)).toMatch(/^entente\.yaml:5: purposes: /)
  })

  it('reads the files that are written for a newcomer', () => {
    expect(
      parseConfig(configText({ role: 'hub', federation: 'isac.example', listen: { host: '0.0.0.0', port: 8443 } }), {}),
    ).toMatchObject({ listen: { host: '0.0.0.0', port: 8443 } })
    const text = configText({
      role: 'organisation',
      federation: 'isac.example',
      organisation: 'bank-a',
      hubUrls: ['https://h:1'],
      data: { paths: ['a: "b"#.log'], labels: ['neptune'] },
      logLevel: 'debug',
    })
    expect(parseConfig(text, {})).toMatchObject({
      hub: { urls: ['https://h:1'] },
      data: { paths: ['a: "b"#.log'], labels: ['neptune'] },
      logLevel: 'debug',
    })
  })
})
