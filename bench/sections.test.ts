import { describe, expect, it } from 'vitest'
import { sectionsOf } from './sections.ts'

describe('the sections of a bench run', () => {
  it('are all of them for the page, and without gigabytes of disk for a rehearsal', () => {
    const all = sectionsOf(undefined, false)
    expect(all).toContain('large')
    expect(sectionsOf(undefined, true)).toEqual(all.filter((name) => name !== 'large'))
  })

  it('are those that were named, and no others', () => {
    expect(sectionsOf('ledger,detect', true)).toEqual(['ledger', 'detect'])
    for (const name of ['ledgers', 'ledger,', '', 'toString']) expect(() => sectionsOf(name, false)).toThrow('--only')
  })
})
