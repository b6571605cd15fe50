/** Organisations come in: each joins by invitation, ingests its own log, and says which attacks it has investigated. */

import { setConfigValue } from '../../../src/node/config-edit.ts'
import { assignFamilies, type FamilyCounts } from './families.ts'
import { addMember, type Federation, ingestAll } from './federation.ts'
import { familiesBefore } from './label-families.ts'
import type { PreparedData } from './prepare-data.ts'
import type { Say } from './progress.ts'
import type { OrganisationSummary } from './report.ts'

export async function joinAndIngest(federation: Federation, data: PreparedData, say: Say): Promise<void> {
  for (const site of data.sites) await addMember(federation, site, data.trainUntil)
  let done = 0
  await ingestAll(federation, ({ id }) => say(`${id} is ready`, ++done / federation.members.length))
}

/** Writes each node's `data.labels` before it starts. */
export async function shareOutLabels(
  federation: Federation,
  data: PreparedData,
  labels: 'own' | 'all',
): Promise<OrganisationSummary[]> {
  const counts = await countFamilies(federation, data.trainUntil)
  const assigned = labels === 'own' ? assignFamilies(counts) : undefined
  for (const { id, directory } of federation.members)
    if (assigned !== undefined) await setConfigValue(directory, ['data', 'labels'], assigned[id] ?? [])
  return data.sites.map(({ name, interactions, positives, stealthyPositives }) => ({
    id: name,
    interactions,
    positives,
    stealthyPositives,
    investigated: assigned === undefined ? Object.keys(counts[name] ?? {}).sort() : (assigned[name] ?? []),
  }))
}

async function countFamilies(federation: Federation, trainUntil: number): Promise<FamilyCounts> {
  const counts: Record<string, Record<string, number>> = {}
  for (const { id, dataset } of federation.members) counts[id] = await familiesBefore(dataset, trainUntil)
  return counts
}
