/** Data sets of one seed: traffic of the generator or a capture, split by site and ingested by the product; kept for later runs. */

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { assignFamilies } from '../../apps/cli/demo/families.ts'
import { trainingSlice } from '../../apps/cli/demo/training-slice.ts'
import type { ScoreTask } from '../../src/node/evaluate-tasks.ts'
import { ingest } from '../../src/node/ingest.ts'
import { splitCapture } from '../../src/node/split.ts'
import type { LabelledData } from '../../src/node/training-matrix.ts'
import { writeTraffic } from '../../src/node/write-traffic.ts'

export interface Site {
  readonly id: string
  readonly data: LabelledData
  readonly othersFamilies: ScoreTask['othersFamilies']
}

export interface Sites {
  readonly trainUntil: number
  readonly sites: readonly Site[]
}

interface Plan {
  readonly trainUntil: number
  readonly sites: readonly {
    readonly id: string
    readonly directory: string
    readonly counts: Record<string, number>
  }[]
}

/** How many organisations there are, and how much traffic each has; those of the demo unless said. */
export interface Extent {
  readonly organisations?: number
  readonly interactionsPerSite?: number
  /** all: each knows the attacks on itself; there are not as many families as organisations to investigate them. */
  readonly labels?: 'own' | 'all'
}

/** As the demo makes them: organisations, each with labels of the families that it investigated. */
export async function sitesOf(
  directory: string,
  seed: string,
  capture: string | undefined,
  extent: Extent = {},
): Promise<Sites> {
  const made = join(directory, 'plan.json')
  if (!existsSync(made)) writeFileSync(made, JSON.stringify(await makeSites(directory, seed, capture, extent)))
  const { trainUntil, sites } = JSON.parse(readFileSync(made, 'utf8')) as Plan
  const assigned = assignFamilies(Object.fromEntries(sites.map(({ id, counts }) => [id, counts])))
  const known = Object.values(assigned).flat()
  return {
    trainUntil,
    sites: sites.map(({ id, directory: of }) => {
      if (extent.labels === 'all')
        return { id, data: { directory: of, trainUntil, families: 'all' as const }, othersFamilies: [] }
      const families = assigned[id] ?? []
      const othersFamilies = known.filter((family) => !families.includes(family))
      return { id, data: { directory: of, trainUntil, families }, othersFamilies }
    }),
  }
}

async function makeSites(
  directory: string,
  seed: string,
  capture: string | undefined,
  { organisations = 5, ...size }: Extent,
): Promise<Plan> {
  const common = { directory: join(directory, 'logs'), sites: organisations, seed, ...size }
  const split =
    capture === undefined
      ? await writeTraffic(common)
      : await splitCapture({ ...common, path: capture, format: 'auto' })
  const { trainUntil, format } = split
  const sites: Plan['sites'][number][] = []
  for (const { name, path, localNetworks } of split.sites) {
    const target = join(directory, name)
    const quarantineDirectory = join(directory, `${name}-quarantine`)
    await ingest({ paths: [path], format, localNetworks, directory: target, quarantineDirectory })
    sites.push({ id: name, directory: target, counts: (await trainingSlice(target, trainUntil)).families })
  }
  return { trainUntil, sites }
}
