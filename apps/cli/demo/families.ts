/** Who has investigated what: the labels that each organisation brings to the training. */

/** For each organisation, how many labelled interactions of each attack family its training slice holds. */
export type FamilyCounts = Readonly<Record<string, Readonly<Record<string, number>>>>

/**
 * Gives every family to one organisation that met it: the one with the fewest families so far, then the one that met it
 * most. An organisation that met no attack, or lost all its families to others, has labels of none, as in real
 * communities; the others' traffic of that family stays unlabelled.
 * @returns organisation -> families that it has labels of, sorted.
 */
export function assignFamilies(counts: FamilyCounts): Record<string, string[]> {
  const assigned: Record<string, string[]> = Object.fromEntries(
    Object.keys(counts).map((organisation) => [organisation, []]),
  )
  for (const family of familiesByVolume(counts)) {
    const candidates = Object.keys(counts).filter((organisation) => (counts[organisation]?.[family] ?? 0) > 0)
    candidates.sort(
      (a, b) =>
        (assigned[a]?.length ?? 0) - (assigned[b]?.length ?? 0) ||
        (counts[b]?.[family] ?? 0) - (counts[a]?.[family] ?? 0) ||
        (a < b ? -1 : 1),
    )
    const investigator = candidates[0]
    if (investigator !== undefined) assigned[investigator]?.push(family)
  }
  for (const families of Object.values(assigned)) families.sort()
  return assigned
}

function familiesByVolume(counts: FamilyCounts): string[] {
  const totals = new Map<string, number>()
  for (const ofOne of Object.values(counts))
    for (const [family, count] of Object.entries(ofOne)) totals.set(family, (totals.get(family) ?? 0) + count)
  return [...totals.keys()].sort((a, b) => (totals.get(b) ?? 0) - (totals.get(a) ?? 0) || (a < b ? -1 : 1))
}
