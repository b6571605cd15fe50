import { describe, expect, it } from 'vitest'
import { parseDemoOptions } from './options.ts'

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
    expect(() => parseDemoOptions({ ...raw, mechanism: 'distributed' })).toThrow('--unit organisation')
    expect(() => parseDemoOptions({ ...asked, mechanism: 'shared' })).toThrow('local or distributed')
  })
})
