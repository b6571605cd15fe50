/**
 * A round that has come to its last phase: rosters, dealt shares, masked vectors and reveals, made without a network.
 * Masks between two survivors cancel in the sum and are left out of the vectors here, or making them would take longer
 * than all that is measured; what a participant takes for its own masks is measured by itself.
 */

import { sha256Hex } from '../../src/base/hash.ts'
import { toBase64Url, toHex, utf8 } from '../../src/base/bytes.ts'
import type { OrganisationId } from '../../src/base/ids.ts'
import { prng } from '../../src/base/prng.ts'
import { contextOf, identityOf } from '../../src/privacy/masking/fixtures.ts'
import { keystream } from '../../src/privacy/masking/keystream.ts'
import { applyMasks, type Mask } from '../../src/privacy/masking/mask.ts'
import type { AdvertisedKeys, Reveal, Shares } from '../../src/privacy/masking/messages.ts'
import type { MaskingContext } from '../../src/privacy/masking/context.ts'
import type { MaskArithmetic } from '../../src/privacy/masking/arithmetic.ts'
import { quantise } from '../../src/privacy/masking/quantise.ts'
import { advertise, type Roster, rosterOf, signFor } from '../../src/privacy/masking/roster.ts'
import {
  drawNeighbours,
  pairSeed,
  type RoundSecrets,
  roundSecrets,
  selfMaskSeed,
} from '../../src/privacy/masking/secrets.ts'
import { dealShares, selfSeedDigest, shareDigest, type SharePair } from '../../src/privacy/masking/share-box.ts'

export interface Setting {
  readonly name: string
  readonly organisations: number
  readonly parameters: number
  readonly dropouts: number
  /** Neighbours and threshold as a peer is run; undefined = what the policy computes. */
  readonly shape?: {
    readonly neighbours: number
    readonly threshold: number
    /** Neighbours on a shuffled ring, as a peer's hub picks them: each pair is drawn by both, so there are half as many masks. */
    readonly ring?: boolean
  }
}

export interface PreparedRound {
  readonly setting: Setting
  readonly context: MaskingContext
  readonly roster: Roster
  readonly secrets: readonly RoundSecrets[]
  readonly neighbours: readonly (readonly number[])[]
  readonly shares: readonly Shares[]
  readonly survivors: readonly OrganisationId[]
  readonly reveals: readonly Reveal[]
  /** Masked vectors of the survivors, one after the other in shared memory. */
  readonly vectors: readonly Uint8Array[]
  /** The plain sum of the quantised updates. */
  readonly expected: Uint8Array
}

export function updateOf(i: number, parameters: number): Float32Array {
  const random = prng(`bench/${i}`)
  return Float32Array.from({ length: parameters }, () => random.uniform() - 0.5)
}

export function prepare(setting: Setting, arithmetic: MaskArithmetic): PreparedRound {
  const { organisations: n, parameters, dropouts } = setting
  const context = contextOf({ seed: 'bench', count: n, length: parameters })
  const seeds = context.invited.map((_, i) => toBase64Url(keystream(new Uint8Array(16).fill(i + 1), 16 * i).next(32)))
  const secrets = seeds.map(roundSecrets)
  const members = context.invited.map(({ organisation }, i) =>
    keysOf(context, organisation, secrets[i] as RoundSecrets),
  )
  const computed = rosterOf(context, members)
  const { neighbours: k, threshold } = { ...computed.plan, ...setting.shape }
  const roster: Roster = { ...computed, plan: { ...computed.plan, neighbours: k, threshold } }
  const neighbours = secrets.map(({ random }, i) =>
    setting.shape?.ring === true ? onRing(i, n, k) : drawNeighbours(i, n, k, random('neighbours')),
  )
  const dealt = secrets.map((own, i) => dealShares(roster, own, i, neighbours[i] ?? []))
  const survivors = context.invited.slice(dropouts).map(({ organisation }) => organisation)
  return {
    setting,
    context,
    roster,
    secrets,
    neighbours,
    survivors,
    shares: dealt.map((pairs, i) => sharesOf(roster, secrets[i] as RoundSecrets, i, neighbours[i] ?? [], pairs)),
    reveals: revealsOf(roster, dropouts, neighbours, dealt),
    ...vectorsOf(setting, roster, secrets, neighbours, arithmetic),
  }
}

function keysOf(
  context: MaskingContext,
  organisation: OrganisationId,
  { boxKey, maskKey }: RoundSecrets,
): AdvertisedKeys {
  return advertise(context, { organisation, boxKey, maskKey, weight: 100 }, identityOf(organisation))
}

/** As `shareSecrets`, without the boxes, which the hub only passes on. */
function sharesOf(
  roster: Roster,
  secrets: RoundSecrets,
  self: number,
  neighbours: readonly number[],
  pairs: readonly SharePair[],
): Shares {
  const commitments = pairs.flatMap(({ mask, self: own }, i) => [
    shareDigest(roster.digest, 'mask', self, i + 1, toHex(mask)),
    shareDigest(roster.digest, 'self', self, i + 1, toHex(own)),
  ])
  const organisation = roster.members[self]?.organisation as OrganisationId
  const selfSeed = selfSeedDigest(roster.digest, self, secrets.self)
  return { organisation, neighbours: [...neighbours], boxes: [], commitments: commitments.join(''), selfSeed }
}

function revealsOf(
  roster: Roster,
  dropouts: number,
  neighbours: readonly (readonly number[])[],
  dealt: readonly (readonly SharePair[])[],
): Reveal[] {
  const held = roster.members.map(() => [] as { owner: number; share: Uint8Array }[])
  dealt.forEach((pairs, owner) => {
    const kind = owner < dropouts ? 'mask' : 'self'
    const holders = [owner, ...(neighbours[owner] ?? [])]
    holders.forEach((holder, i) => held[holder]?.push({ owner, share: pairs[i]?.[kind] as Uint8Array }))
  })
  return roster.members.slice(dropouts).map(({ organisation }, i) => {
    const own = held[i + dropouts] ?? []
    return {
      organisation,
      owners: own.map(({ owner }) => owner),
      shares: own.map(({ share }) => toHex(share)).join(''),
    }
  })
}

/** Steps of 37, prime to 100, are the shuffle; `count` is even. */
function onRing(self: number, organisations: number, count: number): number[] {
  const place = (i: number): number => (37 * i) % organisations
  return Array.from({ length: organisations }, (_, i) => i).filter((other) => {
    const apart = Math.abs(place(self) - place(other))
    return other !== self && Math.min(apart, organisations - apart) <= count / 2
  })
}

/** Indices of everybody with whom each has a mask. */
export function partnersOf(neighbours: readonly (readonly number[])[]): readonly ReadonlySet<number>[] {
  const partners = neighbours.map((drawn) => new Set(drawn))
  neighbours.forEach((drawn, i) => drawn.forEach((j) => partners[j]?.add(i)))
  return partners
}

function vectorsOf(
  { organisations, parameters, dropouts }: Setting,
  roster: Roster,
  secrets: readonly RoundSecrets[],
  neighbours: readonly (readonly number[])[],
  arithmetic: MaskArithmetic,
): { vectors: Uint8Array[]; expected: Uint8Array } {
  const partners = partnersOf(neighbours)
  const expected = new Uint8Array(4 * parameters)
  const plain = new Int32Array(expected.buffer)
  const shared = new SharedArrayBuffer((organisations - dropouts) * 4 * parameters)
  const update = updateOf(0, parameters)
  const vectors: Uint8Array[] = []
  for (let i = dropouts; i < organisations; i++) {
    const rounding = keystream(new Uint8Array(16).fill(i % 251))
    const { words } = quantise(update, 100, roster.scale, rounding)
    new Int32Array(words.buffer).forEach((value, at) => (plain[at] = (plain[at] ?? 0) + value))
    applyMasks(words, masksLeft(roster, secrets, partners, i, dropouts), arithmetic)
    const place = new Uint8Array(shared, (i - dropouts) * 4 * parameters, 4 * parameters)
    place.set(words)
    vectors.push(place)
  }
  return { vectors, expected }
}

/** The self-mask and the masks with dropouts: what does not cancel. */
function masksLeft(
  roster: Roster,
  secrets: readonly RoundSecrets[],
  partners: readonly ReadonlySet<number>[],
  self: number,
  dropouts: number,
): Mask[] {
  const own = secrets[self] as RoundSecrets
  const name = roster.members[self]?.organisation as OrganisationId
  const gone = [...(partners[self] ?? [])].filter((other) => other < dropouts)
  return [
    { seed: selfMaskSeed(roster, own.self, name), sign: 1 },
    ...gone.map((other) => ({ seed: pairSeed(roster, own.mask, self, other), sign: signFor(self, other) })),
  ]
}

export const vectorDigest = (i: number) => sha256Hex(utf8(`vector ${i}`))
