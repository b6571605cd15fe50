/**
 * Round 4 at the hub: from revealed shares to the seeds of what is left in the sum. For a survivor that is its self-mask;
 * for a participant that shared and then dropped out, its masks with every survivor.
 *
 * Secrets are checked against what their owner published (its mask key; the digest of its seed). Only if one fails are
 * shares checked one by one, against their dealer's digests: those that do not fit are left out, and blame.ts judges who
 * lied; if all fit and the secret does not, its owner dealt false shares.
 */

import type { OrganisationId } from '../../base/ids.ts'
import { type Blame, type Contradiction, judgeShares } from './blame.ts'
import { ELEMENT_BYTES, encodeElement, SHARE_FIELD } from './field.ts'
import { agreementKeyOf, agreementSecret } from './keys.ts'
import type { Mask } from './mask.ts'
import type { Reveal, Shares } from './messages.ts'
import { indexOf, type Roster, signFor } from './roster.ts'
import { pairSeed, selfMaskSeed } from './secrets.ts'
import { combineShares, type Interpolation, interpolationOver } from './shamir.ts'
import { selfSeedDigest, shareDigest, type ShareKind } from './share-box.ts'

export interface RecoveryInput {
  readonly roster: Roster
  readonly shares: readonly Shares[]
  readonly survivors: readonly OrganisationId[]
  readonly reveals: readonly Reveal[]
}

export type Recovery =
  | (Blame & { readonly ok: true; readonly masks: readonly Mask[] })
  | (Blame & { readonly ok: false; readonly reason: 'too-few-reveals' | 'false-shares' })

interface Held {
  readonly holder: OrganisationId
  readonly position: number
  /** 64 hex digits. */
  readonly share: string
}

const HEX_LENGTH = 2 * ELEMENT_BYTES

export function recoverMasks(input: RecoveryInput): Recovery {
  const { roster } = input
  const index = indexOf(roster)
  const survivors = new Set(input.survivors)
  const partners = partnersOfDropouts(input.shares, index, survivors)
  const held = sortByOwner(input, index)
  const opener = createOpener(roster)
  const masks: Mask[] = []
  const contradictions: Contradiction[] = []
  const judged = (...proven: OrganisationId[]): Blame => judgeShares(contradictions, proven, roster.plan.corruptMax)
  for (const dealt of input.shares) {
    const owner = index.get(dealt.organisation) ?? 0
    const survived = survivors.has(dealt.organisation)
    const left = [...(partners.get(owner) ?? [])].filter((i) => survivors.has(nameOf(roster, i)))
    // Its masks are in nobody's vector.
    if (!survived && left.length === 0) continue
    const opened = opener(dealt, owner, survived ? 'self' : 'mask', held.get(owner) ?? [])
    for (const { holder } of opened.unfit) contradictions.push({ dealer: dealt.organisation, holder })
    if (opened.secret === undefined)
      return { ok: false, reason: opened.reason, ...judged(...(opened.dealerLied ? [dealt.organisation] : [])) }
    if (survived) masks.push({ seed: selfMaskSeed(roster, opened.secret, dealt.organisation), sign: -1 })
    else {
      const secret = agreementSecret(opened.secret)
      for (const other of left)
        masks.push({ seed: pairSeed(roster, secret, owner, other), sign: signFor(other, owner) === 1 ? -1 : 1 })
    }
  }
  return { ok: true, masks, ...judged() }
}

const nameOf = (roster: Roster, i: number): OrganisationId => roster.members[i]?.organisation ?? ('' as OrganisationId)

/** With whom each dropout has a mask, among the sharers: one of the two drew the other. */
function partnersOfDropouts(
  shares: readonly Shares[],
  index: ReadonlyMap<OrganisationId, number>,
  survivors: ReadonlySet<OrganisationId>,
): ReadonlyMap<number, ReadonlySet<number>> {
  const place = ({ organisation }: Shares): number => index.get(organisation) ?? 0
  const sharers = new Set(shares.map(place))
  const dropouts = shares.filter(({ organisation }) => !survivors.has(organisation))
  const partners = new Map(
    dropouts.map((one) => [place(one), new Set(one.neighbours.filter((other) => sharers.has(other)))]),
  )
  if (partners.size > 0)
    for (const one of shares) for (const other of one.neighbours) partners.get(other)?.add(place(one))
  return partners
}

/** Position of a holder among the shares of an owner: 1 is the owner's own. */
function positionsOf(shares: readonly Shares[], index: ReadonlyMap<OrganisationId, number>) {
  return new Map(
    shares.map(({ organisation, neighbours }) => {
      const owner = index.get(organisation) ?? 0
      return [owner, new Map([[owner, 1], ...neighbours.map((holder, i) => [holder, i + 2] as const)])] as const
    }),
  )
}

function sortByOwner({ shares, reveals }: RecoveryInput, index: ReadonlyMap<OrganisationId, number>) {
  const positions = positionsOf(shares, index)
  const held = new Map<number, Held[]>([...positions.keys()].map((owner) => [owner, []]))
  for (const { organisation, owners, shares: text } of reveals) {
    const holder = index.get(organisation) ?? -1
    owners.forEach((owner, i) => {
      const position = positions.get(owner)?.get(holder)
      if (position !== undefined)
        held
          .get(owner)
          ?.push({ holder: organisation, position, share: text.slice(i * HEX_LENGTH, (i + 1) * HEX_LENGTH) })
    })
  }
  return held
}

/** `unfit`: shares that are not those that their dealer committed to. */
type Opened =
  | { readonly secret: Uint8Array; readonly unfit: readonly Held[] }
  | {
      readonly secret: undefined
      readonly reason: 'too-few-reveals' | 'false-shares'
      readonly unfit: readonly Held[]
      /** By its own commitments. */
      readonly dealerLied: boolean
    }

/** Opens secrets; coefficients are kept as long as the same positions are present, in a complete graph for all owners. */
function createOpener(roster: Roster) {
  const { threshold } = roster.plan
  const interpolations = new Map<number, Interpolation>()
  let last:
    | { readonly count: number; readonly positions: readonly number[]; readonly coefficients: readonly bigint[] }
    | undefined

  function coefficientsFor(positions: readonly number[], count: number): readonly bigint[] {
    if (last?.count === count && sameNumbers(last.positions, positions)) return last.coefficients
    const interpolation = interpolations.get(count) ?? interpolationOver(count, SHARE_FIELD)
    interpolations.set(count, interpolation)
    last = { count, positions, coefficients: interpolation(positions) }
    return last.coefficients
  }

  function combine(held: readonly Held[], count: number): Uint8Array {
    const coefficients = coefficientsFor(
      held.map(({ position }) => position),
      count,
    )
    const shares = held.map(({ share }) => BigInt(`0x${share}`))
    return encodeElement(combineShares(coefficients, shares, SHARE_FIELD))
  }

  return (dealt: Shares, owner: number, kind: ShareKind, held: readonly Held[]): Opened => {
    const count = dealt.neighbours.length + 1
    const closed = (reason: 'too-few-reveals' | 'false-shares', unfit: readonly Held[], dealerLied: boolean) =>
      ({ secret: undefined, reason, unfit, dealerLied }) as const
    if (held.length < threshold) return closed('too-few-reveals', [], false)
    const secret = combine(held, count)
    if (fits(roster, dealt, owner, kind, secret)) return { secret, unfit: [] }
    const sound = held.filter((one) => isCommitted(roster, dealt, owner, kind, one))
    const unfit = held.filter((one) => !sound.includes(one))
    if (sound.length < threshold) return closed('false-shares', unfit, false)
    const again = combine(sound, count)
    return fits(roster, dealt, owner, kind, again) ? { secret: again, unfit } : closed('false-shares', unfit, true)
  }
}

function sameNumbers(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i])
}

/** Whether a secret is the one that its owner published the image of. */
function fits(roster: Roster, dealt: Shares, owner: number, kind: ShareKind, secret: Uint8Array): boolean {
  if (kind === 'self') return selfSeedDigest(roster.digest, owner, secret) === dealt.selfSeed
  return agreementKeyOf(agreementSecret(secret)) === roster.members[owner]?.maskKey
}

function isCommitted(roster: Roster, dealt: Shares, owner: number, kind: ShareKind, one: Held): boolean {
  const at = (2 * (one.position - 1) + (kind === 'mask' ? 0 : 1)) * HEX_LENGTH
  const committed = dealt.commitments.slice(at, at + HEX_LENGTH)
  return shareDigest(roster.digest, kind, owner, one.position, one.share) === committed
}
