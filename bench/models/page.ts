/** Tables for the terminal and for docs/benchmarks.md, with the aims beside the figures. */

import { arch, cpus, release, totalmem } from 'node:os'
import { aimOf } from './aims.ts'
import { aimsMarkdown } from './aims-table.ts'
import type { Results, Run, Summary, Table } from './results.ts'
import { summarise, tablesOf } from './results.ts'

export function machine(): string {
  const [cpu] = cpus()
  return `${cpu?.model.trim() ?? 'unknown processor'}, ${cpus().length} threads, ${(totalmem() / 2 ** 30).toFixed(0)} GiB, ${process.platform} ${release()} ${arch()}`
}

const isCount = (column: string): boolean => /incidents|rounds|rows/.test(column)

export function figure(summary: Summary | null, digits: number): string {
  if (summary === null) return '-'
  const mean = summary.mean.toFixed(digits)
  return summary.deviation === null ? mean : `${mean} ± ${summary.deviation.toFixed(digits)}`
}

const seedsOf = ({ rows }: Table): number =>
  Math.max(0, ...rows.flatMap(({ cells }) => cells.map((summary) => summary?.seeds ?? 0)))

const counted = (seeds: number): string => `${seeds} seed${seeds === 1 ? '' : 's'}`

/** A figure of fewer seeds than others of its table says so. */
function cellText(table: Table, row: string, column: string, summary: Summary | null): string {
  const aim = aimOf(table.title, row, column)
  const text = figure(summary, isCount(column) || table.title.startsWith('Policy') ? 1 : 3)
  if (summary === null) return text
  const fewer = summary.seeds < seedsOf(table) ? [counted(summary.seeds)] : []
  const notes = [...fewer, ...(aim === undefined ? [] : [`aim ${aim}`])]
  return notes.length === 0 ? text : `${text} (${notes.join('; ')})`
}

function rowsOf(table: Table): string[][] {
  return table.rows.map(({ name, cells }) => [
    name,
    ...cells.map((summary, i) => cellText(table, name, table.columns[i] ?? '', summary)),
  ])
}

/** For the terminal. */
export function printedTable(table: Table): string {
  const lines = [['', ...table.columns], ...rowsOf(table)]
  const widths = lines[0]?.map((_, c) => Math.max(...lines.map((line) => line[c]?.length ?? 0))) ?? []
  const text = lines.map((line) =>
    line
      .map((cell, c) => cell.padEnd(widths[c] ?? 0))
      .join('  ')
      .trimEnd(),
  )
  return [`\n${table.title}, ${counted(seedsOf(table))}`, ...text.map((line) => `  ${line}`)].join('\n')
}

export function markdownTable(table: Table): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  const head = [line(['', ...table.columns]), `|${'---|'.repeat(table.columns.length + 1)}`]
  return [`### ${table.title}`, '', `${counted(seedsOf(table))}.`, '', ...head, ...rowsOf(table).map(line), ''].join(
    '\n',
  )
}

/** Which runs the figures come from, one line a section and model. */
export function provenance(runs: readonly Run[]): string[] {
  const groups = new Map<string, Run[]>()
  for (const run of runs) {
    const key = JSON.stringify([run.section, run.model, run.machine, run.versions])
    groups.set(key, [...(groups.get(key) ?? []), run])
  }
  return [...groups.values()].map((group) => {
    const [{ section, model, machine: on, versions } = {} as Run] = group
    const seeds = [...new Set(group.map(({ seed }) => seed))]
    const wall = sumOfParts(group, ({ seconds }) => seconds)
    const isTold = group.every(({ processorSeconds }) => processorSeconds !== undefined)
    const processor = isTold
      ? `, ${sumOfParts(group, (run) => run.processorSeconds).toFixed(0)} s of processor time`
      : ''
    const parts = [...new Set(group.map(({ part }) => part))].join(', ')
    const last = group
      .map(({ at }) => at)
      .toSorted()
      .at(-1)
      ?.slice(0, 10)
    const programs = Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', ')
    return `- \`--only ${section} --model ${model}\` (${parts}): seeds ${seeds.join(', ')}; ${wall.toFixed(0)} s a seed on one thread${processor}; ${last}; ${programs}; ${on}`
  })
}

/** Of a seed: the mean of each part over the runs that tell it, added up. */
function sumOfParts(runs: readonly Run[], of: (run: Run) => number | undefined): number {
  const parts = [...new Set(runs.map(({ part }) => part))]
  const meanOf = (part: string): number =>
    summarise(runs.filter((run) => run.part === part).map((run) => of(run) ?? null))?.mean ?? 0
  return parts.reduce((sum, part) => sum + meanOf(part), 0)
}

/** Replaces what stands between the markers of each section and of the aims, and leaves the prose around them. */
export function writeInto(page: string, results: Results, sectionOf: (table: string) => string): string {
  const tables = tablesOf(results)
  const sections = [...new Set(tables.map(({ title }) => sectionOf(title)))]
  let text = page
  for (const section of sections) {
    const body = tables.filter(({ title }) => sectionOf(title) === section).map(markdownTable)
    const lines = provenance(results.runs.filter((run) => run.section === section))
    text = between(text, `figures: ${section}`, `end: ${section}`, [...body, ...lines, ''].join('\n'))
  }
  // From these results alone: an aim that they say nothing of stands there as "-".
  return text.includes(`<!-- ${AIMS} -->`) ? between(text, AIMS, `end: ${AIMS}`, aimsMarkdown(tables)) : text
}

const AIMS = 'aims'

function between(page: string, start: string, end: string, body: string): string {
  const [open, close] = [`<!-- ${start} -->`, `<!-- ${end} -->`]
  const [from, to] = [page.indexOf(open), page.indexOf(close)]
  if (from < 0 || to < from) throw new Error(`the page has no place for "${start}": ${open} ... ${close}`)
  return `${page.slice(0, from + open.length)}\n\n${body}\n${page.slice(to)}`
}
