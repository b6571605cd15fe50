/** The tables of the attacks, for the terminal and for docs/reference/attacks.md. */

import { togetherLines } from './privacy/audited.ts'
import { figure } from '../models/page.ts'
import { type Results, type Run, summarise, type Summary, type Table, tablesOf } from '../models/results.ts'

/** By the first word of a table's title. */
export function sectionOf(table: string): string {
  return (table.split(/[ :,]/)[0] ?? '').toLowerCase()
}

const MEAN = 'mean'
const FAILURE = 0.05

/** Bold: more than 0.05 below what the mean reaches when nobody lies. */
function cellOf(table: Table, summary: Summary | null): string {
  if (summary === null) return '-'
  const text = figure(summary, table.title.startsWith('Robustness') ? 2 : 3)
  const best = table.rows.find(({ name }) => name === MEAN)?.cells[table.columns.indexOf('nobody')]?.mean
  const isFailure = /accuracy|AUC/.test(table.title) && best !== undefined && summary.mean < best - FAILURE
  return isFailure ? `**${text}**` : text
}

export function markdownTable(table: Table): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  const seeds = Math.max(0, ...table.rows.flatMap(({ cells }) => cells.map((cell) => cell?.seeds ?? 0)))
  return [
    `### ${table.title}`,
    '',
    `${seeds} seed${seeds === 1 ? '' : 's'}.`,
    '',
    line(['', ...table.columns]),
    `|${'---|'.repeat(table.columns.length + 1)}`,
    ...table.rows.map(({ name, cells }) => line([name, ...cells.map((cell) => cellOf(table, cell))])),
    '',
  ].join('\n')
}

/** Which runs the figures of a section come from. */
function provenance(runs: readonly Run[]): string {
  const [last] = runs.toSorted((a, b) => (a.at < b.at ? 1 : -1))
  if (last === undefined) return ''
  const seconds = (of: (run: Run) => number): string => (summarise(runs.map(of))?.mean ?? 0).toFixed(0)
  const [wall, processor] = [seconds((run) => run.seconds), seconds((run) => run.processorSeconds ?? 0)]
  const seeds = runs.map(({ seed }) => seed).join(', ')
  const versions = Object.entries(last.versions).map((entry) => entry.join(' '))
  return `\`npm run bench:attacks -- --only ${last.section}\`: seeds ${seeds}; ${processor} s of processor time a seed (${wall} s by the clock, one thread); ${last.at.slice(0, 10)}; ${versions.join(', ')}; ${last.machine}\n`
}

const bodyOf = (results: Results, section: string): string =>
  [
    ...tablesOf(results)
      .filter(({ title }) => sectionOf(title) === section)
      .map(markdownTable),
    ...(section === 'audit' ? [...togetherLines(results.cells), ''] : []),
    provenance(results.runs.filter((run) => run.section === section)),
  ].join('\n')

const sectionsOf = (results: Results): string[] => [...new Set(results.runs.map(({ section }) => section))]

export function printed(results: Results): string {
  return sectionsOf(results)
    .map((section) => bodyOf(results, section))
    .join('\n')
}

/** Puts the tables of each section between its markers. */
export function writeInto(page: string, results: Results): string {
  return sectionsOf(results).reduce((text, section) => {
    const [open, close] = [`<!-- figures: ${section} -->`, `<!-- end: ${section} -->`]
    const [from, to] = [text.indexOf(open), text.indexOf(close)]
    if (from < 0 || to < from) throw new Error(`the page has no place for ${section}: ${open} ... ${close}`)
    return `${text.slice(0, from + open.length)}\n\n${bodyOf(results, section)}\n${text.slice(to)}`
  }, page)
}
