/** Who knows what, in each of the situations that are measured. */

import { isFlood } from '../../../src/telemetry/labels.ts'
import type { Knowledge } from './organisation.ts'
import { EARLY_SHARE, timeAt, TRAIN_SHARE } from './prepare.ts'

export interface Situation {
  readonly name: string
  /** By organisation. */
  readonly knowledge: Readonly<Record<string, Knowledge>>
}

export interface SituationOptions {
  /** Of the whole capture. */
  readonly ticks: number
  readonly organisations: readonly string[]
  /** Labelled rows of each organisation before a time, by family. */
  readonly familyCounts: (organisation: string, until: number) => Readonly<Record<string, number>>
  readonly trainShare?: number
}

/** A family with fewer rows in an organisation is not its one family. */
const FAMILY_ROWS_MIN = 50

type Counts = Readonly<Record<string, Readonly<Record<string, number>>>>

/**
 * One family an organisation: stealthy ones first and then floods, the largest first, each to the organisation that met
 * it most among those that have none yet. Who met none of what is left has labels of no attack.
 */
export function oneFamilyEach(counts: Counts): Record<string, string[]> {
  const totals = new Map<string, number>()
  for (const ofOne of Object.values(counts))
    for (const [family, rows] of Object.entries(ofOne)) totals.set(family, (totals.get(family) ?? 0) + rows)
  const bySize = [...totals].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)).map(([family]) => family)
  const chosen: Record<string, string[]> = Object.fromEntries(Object.keys(counts).map((id) => [id, []]))
  for (const family of [...bySize.filter((name) => !isFlood(name)), ...bySize.filter(isFlood)]) {
    const rowsOf = (id: string): number => counts[id]?.[family] ?? 0
    const free = Object.keys(counts).filter((id) => chosen[id]?.length === 0 && rowsOf(id) >= FAMILY_ROWS_MIN)
    const [most] = free.toSorted((a, b) => rowsOf(b) - rowsOf(a) || (a < b ? -1 : 1))
    if (most !== undefined) chosen[most] = [family]
  }
  return chosen
}

export function allLabels({ organisations, ticks, trainShare = TRAIN_SHARE }: SituationOptions): Situation {
  const knowledge: Knowledge = { trainUntil: timeAt(trainShare, ticks), families: 'all' }
  return { name: 'all labels', knowledge: Object.fromEntries(organisations.map((id) => [id, knowledge])) }
}

export function skewedLabels({
  organisations,
  familyCounts,
  ticks,
  trainShare = TRAIN_SHARE,
}: SituationOptions): Situation {
  const trainUntil = timeAt(trainShare, ticks)
  const families = oneFamilyEach(Object.fromEntries(organisations.map((id) => [id, familyCounts(id, trainUntil)])))
  const knowledge = organisations.map((id) => [id, { trainUntil, families: families[id] ?? [] }])
  return { name: 'skewed labels', knowledge: Object.fromEntries(knowledge) as Situation['knowledge'] }
}

export function earlyLabels({ organisations, ticks }: SituationOptions): Situation {
  const knowledge: Knowledge = { trainUntil: timeAt(EARLY_SHARE, ticks), families: 'all' }
  return { name: 'early labels', knowledge: Object.fromEntries(organisations.map((id) => [id, knowledge])) }
}

/** One organisation knows what is normal in its traffic, and no attack. */
export function newcomer(options: SituationOptions, id: string): Situation {
  const { knowledge } = allLabels(options)
  const own = knowledge[id]
  return {
    name: `newcomer ${id}`,
    knowledge: own === undefined ? knowledge : { ...knowledge, [id]: { ...own, families: [] } },
  }
}
