import { expect, it } from 'vitest'
import { sideBySide, summarise } from './measure.ts'
import { page, rate } from './report.ts'

it('a timing is the median, between the fastest and the slowest', () => {
  expect(summarise([9, 1, 4])).toEqual({ median: 4, fastest: 1, slowest: 9, runs: 3 })
  expect(summarise([1, 2, 3, 10])).toMatchObject({ median: 2.5, fastest: 1, slowest: 10 })
})

it('contenders take turns, after a round that does not count, and absent ones have no timing', async () => {
  const turns: string[] = []
  const contenders = {
    first: () => turns.push('first'),
    second: () => (turns.push('second'), 7),
    absent: undefined,
  }
  const { second, absent } = await sideBySide(contenders, 2)
  expect(turns).toEqual(['first', 'second', 'first', 'second', 'first', 'second'])
  expect(second).toEqual({ median: 7, fastest: 7, slowest: 7, runs: 2 })
  expect(absent).toBeUndefined()
})

it('a rate counts the fastest run as the highest, and the page says what is not measured', () => {
  const row = rate('appends', 300, 'block', { median: 100, fastest: 50, slowest: 200, runs: 3 })
  expect(row).toEqual({ name: 'appends', result: '3000 block/s', spread: '1500 to 6000 block/s, 3 runs' })
  const text = page([{ title: 'Ledger', setting: 'here', rows: [row] }], { Node: 'v24' }, 0, new Date(0))
  expect(text).toContain('| appends | 3000 block/s | 1500 to 6000 block/s, 3 runs |  |')
  expect(text).toContain('## Not measured')
})
