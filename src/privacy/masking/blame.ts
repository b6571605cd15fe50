/**
 * Who lied, as far as shares tell. A holder that reveals a share and the dealer that committed to another one contradict
 * each other: the holder may have changed it, or the dealer sealed a false one for it. The hub cannot look into the box. So
 * nobody is named for a single contradiction; both stand in it.
 *
 * Who contradicts more organisations than may be corrupt contradicts an honest one among them, and has lied.
 */

import type { OrganisationId } from '../../base/ids.ts'

export interface Contradiction {
  readonly dealer: OrganisationId
  readonly holder: OrganisationId
}

export interface Blame {
  /** Sorted. */
  readonly blamed: readonly OrganisationId[]
  /** One of each pair has lied, and which cannot be told. */
  readonly disputed: readonly Contradiction[]
}

/** @param proven - who lied by what it published itself */
export function judgeShares(
  contradictions: readonly Contradiction[],
  proven: readonly OrganisationId[],
  corruptMax: number,
): Blame {
  const against = new Map<OrganisationId, Set<OrganisationId>>()
  const note = (one: OrganisationId, other: OrganisationId): void =>
    void against.set(one, (against.get(one) ?? new Set()).add(other))
  for (const { dealer, holder } of contradictions) {
    note(dealer, holder)
    note(holder, dealer)
  }
  const lied = [...against].filter(([one, others]) => others.has(one) || others.size > corruptMax).map(([one]) => one)
  const blamed = [...new Set([...proven, ...lied])].sort()
  const open = contradictions.filter(({ dealer, holder }) => !blamed.includes(dealer) && !blamed.includes(holder))
  return { blamed, disputed: open }
}
