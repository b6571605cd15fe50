import { expect, it } from 'vitest'
import { assignFamilies } from './families.ts'

it('gives every family to exactly one organisation that met it', () => {
  const counts = { a: { scan: 10, beacon: 3 }, b: { scan: 20, exfiltration: 1 }, c: {} }
  const assigned = assignFamilies(counts)
  expect(Object.values(assigned).flat().sort()).toEqual(['beacon', 'exfiltration', 'scan'])
  for (const [organisation, families] of Object.entries(assigned))
    for (const family of families)
      expect((counts as Record<string, Record<string, number>>)[organisation]?.[family]).toBeGreaterThan(0)
})

it('spreads families before it looks at volume, and leaves an organisation that met nothing without labels', () => {
  expect(assignFamilies({ a: { scan: 100, flood: 90 }, b: { scan: 1, flood: 80 }, c: {} })).toEqual({
    a: ['flood'],
    b: ['scan'],
    c: [],
  })
})

it('does not depend on the order in which the counts are written', () => {
  const one = assignFamilies({ a: { x: 1, y: 1 }, b: { x: 1, y: 1 } })
  const other = assignFamilies({ b: { y: 1, x: 1 }, a: { y: 1, x: 1 } })
  expect(one).toEqual({ a: other['a'], b: other['b'] })
})
