/** The sections of bench/results.md by name, in its order. */

import type { Section } from './report.ts'

export interface BenchOptions {
  readonly seed: string
  readonly runs: number
}

type Bench = (options: BenchOptions) => Promise<Section | readonly Section[]>

/** What takes a second or more a run is not run more often than this. */
const RUNS_OF_LONG = 5
const few = (runs: number): number => Math.min(runs, RUNS_OF_LONG)

/** Each is loaded when it is asked for, so that one alone is not disturbed by the others. */
export const SECTIONS: Readonly<Record<string, Bench>> = {
  kernels: async ({ seed, runs }) => (await import('./kernels.ts')).benchKernels(seed, runs),
  aggregation: async ({ seed, runs }) => (await import('./aggregation.ts')).benchAggregation(seed, runs),
  large: async ({ seed }) => (await import('./large.ts')).benchLarge(seed),
  ledger: async ({ runs }) => (await import('./ledger.ts')).benchLedger(runs),
  ingest: async ({ seed, runs }) => (await import('./ingest.ts')).benchIngest(seed, few(runs)),
  detect: async ({ seed, runs }) => (await import('./detect.ts')).benchDetect(seed, few(runs)),
  upload: async ({ seed, runs }) => (await import('./upload.ts')).benchUpload(seed, few(runs)),
}

/** A rehearsal leaves out what needs gigabytes of disk. */
const QUICK = Object.keys(SECTIONS).filter((name) => name !== 'large')

/** @throws for a name that is none */
export function sectionsOf(only: string | undefined, quick: boolean): readonly string[] {
  if (only === undefined) return quick ? QUICK : Object.keys(SECTIONS)
  const names = only.split(',')
  const unknown = names.find((name) => !Object.hasOwn(SECTIONS, name))
  if (unknown !== undefined)
    throw new Error(`there is no section "${unknown}"; --only takes a list of ${Object.keys(SECTIONS).join(', ')}`)
  return names
}
