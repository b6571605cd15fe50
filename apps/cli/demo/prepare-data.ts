/**
 * One log per organisation: generated, or one real capture split by network. The work is done by a process of its own,
 * whose memory is gone when the nodes start.
 */

import { basename } from 'node:path'
import type { PreparedCapture } from '../commands/split.ts'
import type { SplitReport } from '../../../src/node/split.ts'
import type { DemoOptions } from './options.ts'
import type { ProcessGroup } from './processes.ts'

export interface PreparedData extends SplitReport {
  /** What the traffic is, for the report. */
  readonly source: string
  /** `synthetic-campaigns`: the capture had no usable labels, so labelled campaigns were laid over it. */
  readonly labelSource: 'generator' | PreparedCapture['labelSource']
}

/** @throws input-invalid, invalid-request, storage-full */
export async function prepareData(options: DemoOptions, directory: string, group: ProcessGroup): Promise<PreparedData> {
  const common = ['--out', directory, '--sites', String(options.orgs), '--seed', String(options.seed), '--json']
  if (options.data === undefined) {
    const written = (await group.runJson(['generate-traffic', ...common])) as SplitReport
    return { ...written, source: `generated traffic, seed ${options.seed}`, labelSource: 'generator' }
  }
  const prepared = (await group.runJson(['split-capture', options.data, ...common])) as PreparedCapture
  return { ...prepared, source: basename(options.data) }
}
