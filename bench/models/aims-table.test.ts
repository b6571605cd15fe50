import { describe, expect, it } from 'vitest'
import { aimsMarkdown } from './aims-table.ts'
import { writeInto } from './page.ts'
import { createResults, type Results, sheetOf, tablesOf } from './results.ts'
import { sectionOf } from './sections.ts'

const SEEDS = ['1', '2', '3', '4', '5']

function resultsOf(record: (sheet: ReturnType<typeof sheetOf>, seed: number) => void, seeds = SEEDS): Results {
  const results = createResults()
  for (const seed of seeds) record(sheetOf(results, seed), Number(seed))
  return results
}

const rowOf = (results: Results, aim: string): string =>
  aimsMarkdown(tablesOf(results))
    .split('\n')
    .find((line) => line.startsWith(`| ${aim} |`)) ?? `no line for ${aim}`

describe('the table of aims', () => {
  it('says of a mean whether the aim is met, to the digits that the tables show, or by how much not', () => {
    const ofAuc = (AUC: number) => resultsOf((sheet) => sheet.record('DARPA, all labels (mlp)', 'federated', { AUC }))
    const aim = 'all labels, federated: AUC 0.985'
    expect(rowOf(ofAuc(0.9846), aim)).toBe(`| ${aim} | 0.985, **met** | - |`)
    expect(rowOf(ofAuc(0.9844), aim)).toBe(`| ${aim} | 0.984, missed by 0.001 | - |`)
    const games = resultsOf((sheet) =>
      sheet.record('Policy in the network of the challenge, removal any', 'learned', { 'b-line': -31.26 }),
    )
    expect(rowOf(games, 'policy, removal any, against b-line: -25')).toContain('| -31.3, missed by 6.3 |')
  })

  it('says how many seeds a figure has, unless they are five', () => {
    const few = resultsOf((sheet) => sheet.record('DARPA, all labels (tgnn)', 'personalised', { AP: 0.96 }), ['1', '2'])
    expect(rowOf(few, 'all labels, personalised: AP 0.955')).toBe(
      '| all labels, personalised: AP 0.955 | - | 0.960, **met** (2 seeds) |',
    )
  })

  it('names the organisations that are below their silo by more than 0.01, the worst first', () => {
    const of = (gaps: Record<string, number>) =>
      resultsOf((sheet) => {
        for (const [id, gap] of Object.entries(gaps))
          sheet.record('DARPA, all labels by organisation (mlp)', id, {
            'silo AUC': 0.9,
            'personalised AUC': 0.9 - gap,
          })
      })
    const aim = 'all labels, personalised: no organisation below its silo by more than 0.01 AUC'
    expect(rowOf(of({ A: 0.01, B: -0.05, C: 0 }), aim)).toBe(`| ${aim} | **met** | - |`)
    expect(rowOf(of({ A: 0.011, B: 0.02, C: 0 }), aim)).toBe(`| ${aim} | missed: B by 0.020, A by 0.011 | - |`)
  })

  it('holds a figure against another of the same table where that is the aim', () => {
    const early = resultsOf((sheet) => {
      sheet.record('DARPA, early labels (mlp)', 'silo', { AP: 0.4, 'triples AP': 0.2 })
      sheet.record('DARPA, early labels (mlp)', 'federated', { AP: 0.5, 'triples AP': 0.19 })
    })
    const aim = 'early labels, federated: AP above the silo on rows; on triples'
    expect(rowOf(early, aim)).toContain('0.500 beside 0.400, **met**; 0.190 beside 0.200, missed by 0.010 |')
  })

  it('stands between its markers in the page, which is written anew with the tables', () => {
    const page = '<!-- aims -->\nof before\n<!-- end: aims -->\n<!-- figures: darpa -->\n<!-- end: darpa -->\n'
    const results = resultsOf((sheet) => sheet.record('DARPA, all labels (mlp)', 'federated', { AUC: 0.99 }))
    const written = writeInto(page, results, sectionOf)
    expect(written).toContain('| all labels, federated: AUC 0.985 | 0.990, **met** | - |')
    expect(written).not.toContain('of before')
    expect(writeInto(written, results, sectionOf)).toBe(written)
  })
})
