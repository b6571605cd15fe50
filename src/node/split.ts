/** Splits one capture into one log per organisation, in the capture's own format, so that nodes ingest it like any log. */

import type { LogFormat } from '../telemetry/interaction.ts'
import { detectFile } from './ingest/source.ts'
import { splitByNetwork } from './split/by-network.ts'
import { splitDarpa } from './split/darpa.ts'

/** The part of the time line that is for training; the rest is the test. */
export const TRAIN_SHARE = 0.7

export interface SplitOptions {
  /** The capture: plain, gzip or zip. */
  readonly path: string
  readonly format: LogFormat | 'auto'
  /** Number of organisations wanted. */
  readonly sites: number
  /** Where the files go; made if missing. */
  readonly directory: string
  /** Names the shuffle inside DARPA's minutes. */
  readonly seed: string
  /** Told the rows (DARPA) or lines so far. */
  readonly onProgress?: (count: number) => void
}

export interface SiteFile {
  /** Short lowercase name, fit for an organisation id. */
  readonly name: string
  readonly path: string
  readonly localNetworks: readonly string[]
  readonly interactions: number
  readonly positives: number
  readonly stealthyPositives: number
  /** Interactions whose label is unknown. */
  readonly unlabelled: number
}

export interface SplitReport {
  readonly format: LogFormat
  readonly sites: readonly SiteFile[]
  /** Seconds since the epoch: rows before it are for training. DARPA: 70 % of the ticks; others: 70 % of the rows. */
  readonly trainUntil: number
  /** Interactions with no end in any site. */
  readonly unassigned: number
  readonly refusedLines: number
}

/**
 * @throws invalid-request for more organisations than DARPA has; input-invalid if the capture cannot be read, or shows
 * too few local hosts; storage-full
 */
export async function splitCapture(options: SplitOptions): Promise<SplitReport> {
  const format = options.format === 'auto' ? await detectFile(options.path) : options.format
  return format === 'darpa-csv' ? splitDarpa(options) : splitByNetwork(options, format)
}

/** True if a supervised run can learn from the labels: both classes are there. */
export function hasBothClasses(report: SplitReport): boolean {
  const sum = (count: (site: SiteFile) => number): number =>
    report.sites.reduce((total, site) => total + count(site), 0)
  const positives = sum((site) => site.positives)
  return positives > 0 && sum((site) => site.interactions - site.unlabelled) > positives
}
