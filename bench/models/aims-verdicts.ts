/** What is said of a mean beside what it should be. */

import type { Summary, Table } from './results.ts'

export type Lookup = (table: string, row: string, column: string) => Summary | null

const SEEDS = 5
/** As many as the tables show: a figure that reads as the aim has met it. */
const DIGITS = 3

export function lookupIn(tables: readonly Table[]): Lookup {
  return (title, name, column) => {
    const table = tables.find((one) => one.title === title)
    const at = table?.columns.indexOf(column) ?? -1
    return table?.rows.find((row) => row.name === name)?.cells[at] ?? null
  }
}

const seedsNote = (...of: readonly (Summary | null)[]): string => {
  const seeds = Math.min(...of.map((summary) => summary?.seeds ?? SEEDS))
  return seeds < SEEDS ? ` (${seeds} seed${seeds === 1 ? '' : 's'})` : ''
}

export const shown = (summary: Summary | null, digits = DIGITS): string => summary?.mean.toFixed(digits) ?? '-'

/** `least`: what the mean must be, to the digits of the tables. */
export function held(summary: Summary | null, least: number, digits = DIGITS): string {
  if (summary === null) return '-'
  const short = least - Number(summary.mean.toFixed(digits))
  const verdict = short <= 0 ? '**met**' : `missed by ${short.toFixed(digits)}`
  return `${shown(summary, digits)}, ${verdict}${seedsNote(summary)}`
}

/** `figure` beside another that it must reach. */
export function beside(figure: Summary | null, other: Summary | null, digits = DIGITS): string {
  if (figure === null || other === null) return '-'
  const short = Number(shown(other, digits)) - Number(shown(figure, digits))
  const verdict = short <= 0 ? '**met**' : `missed by ${short.toFixed(digits)}`
  return `${shown(figure, digits)} beside ${shown(other, digits)}, ${verdict}${seedsNote(figure, other)}`
}

const ORGANISATIONS = ['A', 'B', 'C', 'D', 'F']
const BELOW_SILO = 0.01

export function aboveSilo(of: Lookup, model: string, arm: string): string {
  const table = `DARPA, all labels by organisation (${model})`
  const gaps = ORGANISATIONS.flatMap((id) => {
    const [silo, own] = [of(table, id, 'silo AUC'), of(table, id, `${arm} AUC`)]
    return silo === null || own === null ? [] : [{ id, own, below: Number(shown(silo)) - Number(shown(own)) }]
  })
  if (gaps.length === 0) return '-'
  const bad = gaps.filter(({ below }) => below > BELOW_SILO + 1e-9).toSorted((a, b) => b.below - a.below)
  const verdict =
    bad.length === 0
      ? '**met**'
      : `missed: ${bad.map(({ id, below }) => `${id} by ${below.toFixed(DIGITS)}`).join(', ')}`
  return `${verdict}${seedsNote(...gaps.map(({ own }) => own))}`
}
