/** Organisations come in: each joins by invitation, ingests its own log, and says which attacks it has investigated. */

import { setConfigValue } from '../../../src/node/config-edit.ts'
import { assignFamilies } from './families.ts'
import { addMember, type Federation, ingestAll } from './federation.ts'
import type { DemoOptions } from './options.ts'
import type { PreparedData } from './prepare-data.ts'
import type { Say } from './progress.ts'
import type { OrganisationSummary } from './report.ts'
import { type TrainingSlice, trainingSlice } from './training-slice.ts'

export async function joinAndIngest(federation: Federation, data: PreparedData, say: Say): Promise<void> {
  for (const site of data.sites) await addMember(federation, site, data.trainUntil)
  let done = 0
  await ingestAll(federation, ({ id }) => say(`${id} is ready`, ++done / federation.members.length))
}

/** Writes each node's `data.labels` before it starts. */
export async function shareOutLabels(
  federation: Federation,
  data: PreparedData,
  { labels, model, privacy }: Pick<DemoOptions, 'labels' | 'model' | 'privacy'>,
): Promise<OrganisationSummary[]> {
  const slices = await slicesOf(federation, data.trainUntil)
  const counts = Object.fromEntries([...slices].map(([id, { families }]) => [id, families]))
  const assigned = labels === 'own' ? assignFamilies(counts) : undefined
  for (const { id, directory } of federation.members)
    if (assigned !== undefined) await setConfigValue(directory, ['data', 'labels'], assigned[id] ?? [])
  return data.sites.map(({ name, interactions, positives, stealthyPositives }) => {
    const investigated = assigned === undefined ? Object.keys(counts[name] ?? {}).sort() : (assigned[name] ?? [])
    const { rows = 0, benign = 0 } = slices.get(name) ?? {}
    // Without any label a graph network still learns which links are usual; but not privately, link by link.
    const fromLinks = model === 'tgnn' && privacy?.unit !== 'example' && rows > 0
    const learns = investigated.length > 0 || benign > 0 || fromLinks
    return { id: name, interactions, positives, stealthyPositives, investigated, learns }
  })
}

async function slicesOf(federation: Federation, trainUntil: number): Promise<Map<string, TrainingSlice>> {
  const slices = new Map<string, TrainingSlice>()
  for (const { id, dataset } of federation.members) slices.set(id, await trainingSlice(dataset, trainUntil))
  return slices
}
