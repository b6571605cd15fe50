/** What was measured: one number a seed in each cell of each table, and the runs that they come from. */

export interface Cell {
  readonly table: string
  readonly row: string
  readonly column: string
  readonly seed: string
  /** Null where the data do not define the figure. */
  readonly value: number | null
}

export interface Run {
  readonly section: string
  readonly part: string
  readonly model: string
  readonly seed: string
  readonly seconds: number
  /** Of this process; other programs on the machine disturb it less. */
  readonly processorSeconds?: number
  /** ISO date and time of its end. */
  readonly at: string
  readonly machine: string
  readonly versions: Readonly<Record<string, string>>
}

export interface Results {
  readonly runs: Run[]
  readonly cells: Cell[]
}

/** Takes the figures of one seed. */
export interface Sheet {
  record(table: string, row: string, figures: Readonly<Record<string, number | null>>): void
}

export function createResults(): Results {
  return { runs: [], cells: [] }
}

export function sheetOf(results: Results, seed: string): Sheet {
  return {
    record(table, row, figures) {
      for (const [column, value] of Object.entries(figures)) results.cells.push({ table, row, column, seed, value })
    },
  }
}

export interface Summary {
  readonly mean: number
  /** Standard deviation over seeds, n - 1 in the denominator; null for one seed. */
  readonly deviation: number | null
  readonly seeds: number
}

/** Null if no seed has a value. */
export function summarise(values: readonly (number | null)[]): Summary | null {
  const known = values.filter((value) => value !== null)
  if (known.length === 0) return null
  const mean = known.reduce((sum, value) => sum + value, 0) / known.length
  const squares = known.reduce((sum, value) => sum + (value - mean) ** 2, 0)
  return { mean, deviation: known.length > 1 ? Math.sqrt(squares / (known.length - 1)) : null, seeds: known.length }
}

export interface Table {
  readonly title: string
  readonly columns: readonly string[]
  readonly rows: readonly { readonly name: string; readonly cells: readonly (Summary | null)[] }[]
}

/** Tables whose rows have a mean, once all of them are there: by a word of the title, with the number of rows. */
const WITH_MEAN = [{ word: 'newcomer', rows: 4 }]

function meansOf(cells: readonly Cell[]): Cell[] {
  const groups = new Map<string, Cell[]>()
  for (const cell of cells) {
    const key = JSON.stringify([cell.table, cell.column, cell.seed])
    groups.set(key, [...(groups.get(key) ?? []), cell])
  }
  return [...groups.values()].flatMap((group): Cell[] => {
    const [first] = group
    const wanted = WITH_MEAN.find(({ word }) => first?.table.includes(word))
    if (first === undefined || wanted?.rows !== group.length) return []
    return [{ ...first, row: 'mean', value: summarise(group.map(({ value }) => value))?.mean ?? null }]
  })
}

/** In the order in which tables, rows and columns were first recorded. */
export function tablesOf({ cells: recorded }: Pick<Results, 'cells'>): Table[] {
  const cells = [...recorded, ...meansOf(recorded)]
  const titles = [...new Set(cells.map(({ table }) => table))]
  return titles.map((title) =>
    tableOf(
      title,
      cells.filter(({ table }) => table === title),
    ),
  )
}

function tableOf(title: string, cells: readonly Cell[]): Table {
  const columns = [...new Set(cells.map(({ column }) => column))]
  const rows = [...new Set(cells.map(({ row }) => row))].map((name) => {
    const ofRow = cells.filter(({ row }) => row === name)
    const valuesOf = (column: string): (number | null)[] =>
      ofRow.filter((cell) => cell.column === column).map(({ value }) => value)
    return { name, cells: columns.map((column) => summarise(valuesOf(column))) }
  })
  return { title, columns, rows }
}

/** All runs of several results; of a cell that was measured twice with one seed, the later one counts. */
export function merge(parts: readonly Results[]): Results {
  const keyed = <T>(items: readonly T[], keyOf: (item: T) => string): T[] => [
    ...new Map(items.map((item) => [keyOf(item), item])).values(),
  ]
  return {
    runs: keyed(
      parts.flatMap(({ runs }) => runs),
      (run) => JSON.stringify([run.section, run.part, run.model, run.seed]),
    ),
    cells: keyed(
      parts.flatMap(({ cells }) => cells),
      (cell) => JSON.stringify([cell.table, cell.row, cell.column, cell.seed]),
    ),
  }
}
