import { describe, expect, it } from 'vitest'
import { markdownTable, writeInto } from './page.ts'
import { createResults, merge, sheetOf, summarise, tablesOf } from './results.ts'
import { partsOf, sectionOf } from './sections.ts'

describe('the figures of a bench', () => {
  it('are means over the seeds that have a value, with the deviation of a sample', () => {
    expect(summarise([1, null, 3])).toEqual({ mean: 2, deviation: Math.SQRT2, seeds: 2 })
    expect(summarise([5])).toEqual({ mean: 5, deviation: null, seeds: 1 })
    expect(summarise([null])).toBe(null)
  })

  it('keep the order in which tables, rows and columns were recorded', () => {
    const results = createResults()
    for (const seed of ['1', '2']) {
      sheetOf(results, seed).record('NSL-KDD, b', 'second', { z: Number(seed), a: null })
      sheetOf(results, seed).record('NSL-KDD, b', 'first', { a: 0.5 })
    }
    const [table] = tablesOf(results)
    expect(table?.columns).toEqual(['z', 'a'])
    expect(
      markdownTable(table ?? { title: '', columns: [], rows: [] })
        .split('\n')
        .slice(4, 8),
    ).toEqual(['|  | z | a |', '|---|---|---|', '| second | 1.500 ± 0.707 | - |', '| first | - | 0.500 ± 0.000 |'])
  })

  it('of two runs of one seed, the later one counts', () => {
    const [older, newer] = [createResults(), createResults()]
    sheetOf(older, '1').record('t', 'r', { c: 1 })
    sheetOf(newer, '1').record('t', 'r', { c: 2 })
    expect(merge([older, newer]).cells).toEqual([{ table: 't', row: 'r', column: 'c', seed: '1', value: 2 }])
  })

  it('of newcomers have a mean over all four, seed by seed', () => {
    const results = createResults()
    const sheet = sheetOf(results, '1')
    for (const row of ['A', 'B', 'C']) sheet.record('DARPA, newcomer', row, { AUC: 0.5 })
    expect(tablesOf(results)[0]?.rows.length).toBe(3)
    sheet.record('DARPA, newcomer', 'F', { AUC: 0.9 })
    expect(tablesOf(results)[0]?.rows[4]).toMatchObject({ name: 'mean', cells: [{ mean: 0.6 }] })
  })

  it('replace what stands between the markers of their section, and nothing else', () => {
    const results = createResults()
    sheetOf(results, '1').record('NSL-KDD, official split', 'row', { column: 1 })
    const page = 'before\n<!-- figures: nsl-kdd -->\nold\n<!-- end: nsl-kdd -->\nafter\n'
    const written = writeInto(page, results, sectionOf)
    expect(written).toContain('| row | 1.000 |')
    expect(written).not.toContain('old')
    expect(written.startsWith('before\n') && written.endsWith('\nafter\n')).toBe(true)
    expect(writeInto(written, results, sectionOf)).toBe(written)
    expect(() => writeInto('no markers', results, sectionOf)).toThrow('no place')
  })
})

it('a section can be asked for as a whole or by one of its parts', () => {
  expect(partsOf('links').length).toBe(3)
  expect(partsOf('darpa/early,nsl-kdd').map(({ section, name }) => `${section}/${name}`)).toEqual([
    'darpa/early',
    'nsl-kdd/mlp',
  ])
  expect(() => partsOf('nothing')).toThrow('--only')
  expect(() => partsOf('darpa/nothing')).toThrow('--only')
})
