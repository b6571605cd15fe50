import { describe, expect, it } from 'vitest'
import { parseTrainingConfig } from '../../../src/learning/config.ts'
import { trainingDefaults } from '../../../src/node/default-model.ts'
import { clipNamed, parseDemoOptions, privacyNamed } from './options.ts'

describe('--clip', () => {
  it('takes a norm, and whether tensors are clipped one by one', () => {
    expect(clipNamed(undefined)).toBeNull()
    expect(clipNamed('0.5')).toEqual({ norm: 0.5, per: 'update' })
    expect(clipNamed('2:layer')).toEqual({ norm: 2, per: 'layer' })
    for (const text of ['', '0', '-1', 'x', '1:tensor', '1:layer:2', '1e9'])
      expect(() => clipNamed(text), text).toThrow('--clip takes')
  })

  it('is the clip of the noise where whole organisations are protected, and the clip of updates elsewhere', () => {
    const clip = { norm: 0.5, per: 'layer' } as const
    const organisations = trainingDefaults('mlp', { clip, privacy: { unit: 'organisation', epsilon: 8 } })
    expect(parseTrainingConfig(organisations)).toMatchObject({
      clipNorm: null,
      clipPer: 'layer',
      privacy: { clip: 0.5 },
    })
    const rows = parseTrainingConfig(trainingDefaults('mlp', { clip }))
    expect(rows).toMatchObject({ clipNorm: 0.5, clipPer: 'layer', privacy: { unit: 'example', clip: 1 } })
    expect(parseTrainingConfig(trainingDefaults('mlp'))).not.toHaveProperty('clipPer')
  })
})

describe('--purpose', () => {
  const raw = { orgs: '5', labels: 'own', seed: '1' }

  it('takes a short name, and is absent unless asked for', () => {
    expect(parseDemoOptions(raw)).not.toHaveProperty('purpose')
    expect(parseDemoOptions({ ...raw, purpose: 'tuning' })).toMatchObject({ purpose: 'tuning' })
    expect(() => parseDemoOptions({ ...raw, purpose: 'To tune' })).toThrow('--purpose: expected a purpose like')
  })
})

describe('--mechanism', () => {
  const raw = { orgs: '5', labels: 'own', seed: '1' }

  it('says how whole organisations are protected, and is refused where nothing follows from it', () => {
    const asked = { ...raw, unit: 'organisation', epsilon: '8' }
    expect(parseDemoOptions(asked).privacy).toEqual({ unit: 'organisation', epsilon: 8 })
    expect(parseDemoOptions({ ...asked, mechanism: 'distributed' }).privacy).toEqual({
      unit: 'organisation',
      epsilon: 8,
      mechanism: 'distributed-discrete-gaussian',
    })
    expect(privacyNamed({ ...asked, mechanism: 'distributed', invitedMin: '20' })).toMatchObject({ invitedMin: 20 })
    expect(parseDemoOptions({ ...asked, mechanism: 'skellam' }).privacy).toMatchObject({
      mechanism: 'distributed-skellam',
    })
    expect(parseDemoOptions({ ...asked, mechanism: 'central' }).privacy).toMatchObject({
      mechanism: 'central-discrete-gaussian',
    })
    expect(() => privacyNamed({ ...asked, invitedMin: '20' })).toThrow('--mechanism distributed or skellam')
    expect(() => privacyNamed({ ...asked, mechanism: 'central', invitedMin: '20' })).toThrow('--invited-min')
    expect(() => privacyNamed({ ...asked, mechanism: 'distributed', invitedMin: '2' })).toThrow('--invited-min')
    expect(() => parseDemoOptions({ ...raw, mechanism: 'distributed' })).toThrow('--unit organisation')
    expect(() => parseDemoOptions({ ...asked, mechanism: 'shared' })).toThrow('local, distributed, skellam, central')
  })
})

describe('what does not go together', () => {
  const raw = { orgs: '5', labels: 'own', seed: '1' }

  it.each([
    ['shares of noise without masks', { unit: 'organisation', mechanism: 'distributed', protect: 'plain' }],
    ['noise of the hub under encryption', { unit: 'organisation', mechanism: 'central', protect: 'paillier' }],
    ['two organisations that hide among each other', { orgs: '2', protect: 'secagg' }],
    ['two organisations under encryption', { orgs: '2', protect: 'ckks', epsilon: 'off' }],
    ['a rule that needs single updates under encryption', { protect: 'paillier', robust: 'median:1' }],
    ['more liars than the rule withstands', { orgs: '4', robust: 'krum:1' }],
  ])('is refused before anything is set up, as an error of the command line: %s', (_, asked) => {
    expect(() => parseDemoOptions({ ...raw, ...asked })).toThrow(expect.objectContaining({ code: 'config-invalid' }))
  })

  it.each([
    {},
    { orgs: '1' },
    { orgs: '2' },
    { epsilon: 'off' },
    { model: 'mlp', protect: 'plain', unit: 'organisation' },
    { protect: 'paillier' },
    { protect: 'ckks', epsilon: 'off', rounds: '2' },
    { attack: 'signflip:1' },
    { attack: 'signflip:1', protect: 'secagg', robust: 'none' },
    { unit: 'organisation', mechanism: 'distributed', orgs: '10' },
    { unit: 'organisation', mechanism: 'central' },
    { orgs: '26', robust: 'median:1', protect: 'secagg' },
  ])('is not %o', (asked) => {
    expect(parseDemoOptions({ ...raw, ...asked })).toMatchObject({ seed: 1 })
  })
})
