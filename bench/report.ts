/** What was measured, as a table for the terminal and as the page bench/results.md. */

import { arch, cpus, loadavg, release, totalmem } from 'node:os'
import type { Timing } from './measure.ts'

export interface Row {
  readonly name: string
  /** With its unit. */
  readonly result: string
  /** Fastest to slowest, with its unit; absent where there was one run. */
  readonly spread?: string
  readonly note?: string
}

export interface Section {
  readonly title: string
  /** What was done, with sizes and seeds. */
  readonly setting: string
  readonly rows: readonly Row[]
}

const digits = (value: number): string =>
  value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toPrecision(3)

/** A row in milliseconds. */
export function duration(name: string, timing: Timing, note?: string): Row {
  const { median, fastest, slowest, runs } = timing
  const spread = `${digits(fastest)} to ${digits(slowest)} ms, ${runs} runs`
  return { name, result: `${digits(median)} ms`, spread, ...(note === undefined ? {} : { note }) }
}

/** A row in `amount` of `unit` a second. */
export function rate(name: string, amount: number, unit: string, timing: Timing, note?: string): Row {
  const perSecond = (ms: number): string => digits((amount * 1000) / ms)
  const spread = `${perSecond(timing.slowest)} to ${perSecond(timing.fastest)} ${unit}/s, ${timing.runs} runs`
  return { name, result: `${perSecond(timing.median)} ${unit}/s`, spread, ...(note === undefined ? {} : { note }) }
}

export function skipped(name: string, why: string): Row {
  return { name, result: 'not measured', note: why }
}

/** The section as lines of a terminal. */
export function printed({ title, setting, rows }: Section): string {
  const name = Math.max(...rows.map((row) => row.name.length))
  const result = Math.max(...rows.map((row) => row.result.length))
  const lines = rows.map((row) =>
    `  ${row.name.padEnd(name)}  ${row.result.padStart(result)}  ${[row.spread, row.note].filter(Boolean).join('; ')}`.trimEnd(),
  )
  return [`\n${title}`, `  ${setting}`, ...lines].join('\n')
}

const NOT_MEASURED = [
  'Networks: everything runs on one machine, so latency and bandwidth between organisations are not in any figure.',
  'Power loss and slow disks: files are in the page cache when they are read.',
  'More than one hub process, or a PostgreSQL on another machine.',
  'Accuracy: see docs/benchmarks.md.',
  'Energy, and memory of anything but the aggregation.',
]

/** How busy the machine was in the last minute. */
export const currentLoad = (): number => loadavg()[0] ?? 0

/** The page; `load` is the load average of the minute before. */
export function page(
  sections: readonly Section[],
  versions: Readonly<Record<string, string>>,
  load: number,
  at: Date,
): string {
  const [cpu] = cpus()
  const machine = `${cpu?.model.trim() ?? 'unknown processor'}, ${cpus().length} threads, ${(totalmem() / 2 ** 30).toFixed(0)} GiB, ${process.platform} ${release()} ${arch()}`
  const tables = sections.map(({ title, setting, rows }) => {
    const lines = rows.map(
      ({ name, result, spread = '', note = '' }) => `| ${name} | ${result} | ${spread} | ${note} |`,
    )
    return `## ${title}\n\n${setting}\n\n| | median | fastest and slowest | |\n|---|---|---|---|\n${lines.join('\n')}\n`
  })
  return `# Measurements

Written by \`npm run bench\` on ${at.toISOString().slice(0, 10)}. Contenders of one table were timed in turn in the same run.
One machine, one day: read ratios rather than figures.

- machine: ${machine}
- load before the first measurement: ${load.toFixed(1)} processes ready to run; above 0.5 another program was in the way
- versions: ${Object.entries(versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(', ')}

${tables.join('\n')}
## Not measured

${NOT_MEASURED.map((line) => `- ${line}`).join('\n')}
`
}
