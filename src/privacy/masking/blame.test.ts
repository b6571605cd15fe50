import fc from 'fast-check'
import { expect, it } from 'vitest'
import { judgeShares } from './blame.ts'
import { nameOf } from './fixtures.ts'

const pair = (dealer: number, holder: number) => ({ dealer: nameOf(dealer), holder: nameOf(holder) })

it('a single contradiction names nobody: it has two sides', () => {
  expect(judgeShares([pair(0, 1)], [], 1)).toEqual({ blamed: [], disputed: [pair(0, 1)] })
})

it('who contradicts more than may be corrupt has lied, dealer or holder, and those it contradicts are cleared', () => {
  expect(judgeShares([pair(0, 1), pair(0, 2)], [], 1)).toEqual({ blamed: [nameOf(0)], disputed: [] })
  expect(judgeShares([pair(1, 0), pair(2, 0)], [], 1)).toEqual({ blamed: [nameOf(0)], disputed: [] })
})

it('who contradicts itself, or what it published, has lied', () => {
  expect(judgeShares([pair(3, 3)], [], 2)).toEqual({ blamed: [nameOf(3)], disputed: [] })
  expect(judgeShares([pair(4, 1)], [nameOf(4)], 2)).toEqual({ blamed: [nameOf(4)], disputed: [] })
})

it('no honest organisation is named, whatever up to c liars deal and reveal', () => {
  const organisation = fc.integer({ min: 0, max: 9 })
  fc.assert(
    fc.property(
      fc.array(fc.tuple(organisation, organisation)),
      fc.subarray([0, 1, 2, 3, 4], { maxLength: 3 }),
      (all, liars) => {
        // Between two honest ones there is no contradiction.
        const pairs = all.filter(([dealer, holder]) => liars.includes(dealer) || liars.includes(holder))
        const { blamed, disputed } = judgeShares(
          pairs.map(([dealer, holder]) => pair(dealer, holder)),
          [],
          3,
        )
        const known = liars.map(nameOf)
        expect(blamed.every((name) => known.includes(name))).toBe(true)
        expect(disputed.every(({ dealer, holder }) => known.includes(dealer) || known.includes(holder))).toBe(true)
      },
    ),
  )
})
