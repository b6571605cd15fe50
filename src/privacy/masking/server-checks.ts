/** What the hub checks of each message. The adversary is a participant; whatever fails is refused and counts as not sent. */

import { fail } from '../../base/errors.ts'
import type { OrganisationId } from '../../base/ids.ts'
import { SHARE_FIELD } from './field.ts'
import type { Reveal, Shares } from './messages.ts'
import { indexOf, type Roster } from './roster.ts'

const SHARE_DIGITS = 64
const LARGEST_SHARE = (SHARE_FIELD.prime - 1n).toString(16)

/** Neighbours are others, in the roster, each once, as many as the plan says; every part has its exact length. */
export function checkShares(roster: Roster, shares: Shares): void {
  const { neighbours, boxes, commitments, organisation } = shares
  const self = indexOf(roster).get(organisation)
  if (self === undefined) fail('not-a-participant', `${organisation} is not in the roster`)
  const sound = neighbours.every((i, at) => i !== self && i < roster.members.length && i > (neighbours[at - 1] ?? -1))
  if (!sound || neighbours.length !== roster.plan.neighbours)
    fail('invalid-request', `${organisation} must name ${roster.plan.neighbours} others, ascending`)
  if (boxes.length !== neighbours.length || commitments.length !== 2 * SHARE_DIGITS * (neighbours.length + 1))
    fail('invalid-request', `${organisation} sends boxes or digests of another number than its neighbours`)
}

/** Owners are ones that dealt this participant a share, each once; every share is an element of the field. */
export function checkReveal(roster: Roster, dealt: readonly Shares[], reveal: Reveal): void {
  const { organisation, owners, shares } = reveal
  const index = indexOf(roster)
  const holder = index.get(organisation) ?? -1
  const dealers = new Map(dealt.map((one) => [index.get(one.organisation), one]))
  if (shares.length !== owners.length * SHARE_DIGITS) fail('invalid-request', 'a share has 32 bytes')
  owners.forEach((owner, i) => {
    const dealer = dealers.get(owner)
    const holds = owner === holder || dealer?.neighbours.includes(holder) === true
    if (dealer === undefined || !holds || owner <= (owners[i - 1] ?? -1))
      fail('invalid-request', `${organisation} reveals a share that it does not hold`)
    // Lowercase hex of equal length compares as its number.
    if (shares.slice(i * SHARE_DIGITS, (i + 1) * SHARE_DIGITS) > LARGEST_SHARE)
      fail('invalid-request', 'a share is not an element of the field')
  })
}

/**
 * U2: whoever has too few neighbours among the sharers could not be unmasked, and is left out; that may take neighbours
 * from others, and so on.
 */
export function usableSharers(roster: Roster, shares: readonly Shares[]): Shares[] {
  const index = indexOf(roster)
  const place = (name: OrganisationId): number => index.get(name) ?? -1
  let left = [...shares]
  for (;;) {
    const present = new Set(left.map(({ organisation }) => place(organisation)))
    const usable = left.filter(
      ({ neighbours }) => neighbours.filter((i) => present.has(i)).length + 1 >= roster.plan.threshold,
    )
    if (usable.length === left.length) return usable
    left = usable
  }
}
