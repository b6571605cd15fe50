import { describe, expect, it } from 'vitest'
import { parseDemoOptions, privacyNamed } from './options.ts'

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
    expect(() => privacyNamed({ ...asked, invitedMin: '20' })).toThrow('--mechanism distributed')
    expect(() => privacyNamed({ ...asked, mechanism: 'distributed', invitedMin: '2' })).toThrow('--invited-min')
    expect(() => parseDemoOptions({ ...raw, mechanism: 'distributed' })).toThrow('--unit organisation')
    expect(() => parseDemoOptions({ ...asked, mechanism: 'shared' })).toThrow('local or distributed')
  })
})
