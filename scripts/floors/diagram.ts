/** The house as ARCHITECTURE.md shows it, drawn from the table. */

import { FLOOR_NOTES, ROOMS } from './table.ts'

const BEGIN = '<!-- floors: begin (npm run floors -- --write) -->'
const END = '<!-- floors: end -->'

/** Floors from the top down, then what stands beside them. */
export function diagram(): string {
  const floors = [...new Set(ROOMS.flatMap(({ floor }) => (floor === undefined ? [] : [floor])))].sort((a, b) => b - a)
  const rows = floors.map((floor): [string, string, string] => [
    `floor ${floor}`,
    rooms(floor),
    FLOOR_NOTES[floor] ?? '',
  ])
  rows.push(['beside', rooms(undefined), 'not imported by the house'])
  const width = Math.max(...rows.map(([, names]) => names.length))
  return rows.map(([label, names, note]) => `${label.padEnd(9)}${names.padEnd(width)}   ${note}`.trimEnd()).join('\n')
}

function rooms(floor: number | undefined): string {
  return ROOMS.filter((room) => room.floor === floor)
    .map(({ name }) => name)
    .join(' · ')
}

/** The diagram between the markers of a page; undefined if the markers are missing. */
export function drawnIn(page: string): string | undefined {
  const begin = page.indexOf(BEGIN)
  const end = page.indexOf(END)
  if (begin < 0 || end < begin) return undefined
  return page
    .slice(begin + BEGIN.length, end)
    .replace(/^\s*```\n/, '')
    .replace(/\n```\s*$/, '')
}

/** The page with the current diagram between its markers. */
export function withDiagram(page: string): string {
  const begin = page.indexOf(BEGIN)
  const end = page.indexOf(END)
  if (begin < 0 || end < begin) throw new Error(`ARCHITECTURE.md lacks the markers ${BEGIN} and ${END}`)
  return `${page.slice(0, begin + BEGIN.length)}\n\`\`\`\n${diagram()}\n\`\`\`\n${page.slice(end)}`
}
