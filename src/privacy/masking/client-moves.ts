/** The moves of a participant. Each returns the next state with what it sets off. */

import { toHex } from '../../base/bytes.ts'
import { EntenteError, fail } from '../../base/errors.ts'
import type { Step } from '../../base/machine.ts'
import {
  checkAgreements,
  checkInbox,
  checkSurvivors,
  maskedStatement,
  maskPartners,
  sharersDigest,
  survivorsDigest,
  survivorsStatement,
} from './client-checks.ts'
import type { ClientEffect, ClientEventOf, ClientIn, ClientOptions, ClientState } from './client-state.ts'
import { signStatement } from './context.ts'
import { advertise, checkRoster, indexOf, type Roster, rosterFacts, rosterOf, signFor } from './roster.ts'
import { drawNeighbours, pairSeed, roundSecrets, selfMaskSeed } from './secrets.ts'
import { dealShares, openShares, type ShareKind, shareSecrets } from './share-box.ts'
import { maskText, type MaskOrder, roundingKey } from './vector.ts'

export type ClientStep = Step<ClientState, ClientEffect>

export const only = (state: ClientState): ClientStep => ({ state, effects: [] })

/** Round 0, AdvertiseKeys: fresh keys, signed by the identity key. */
export function advertiseKeys(self: ClientOptions, event: ClientEventOf<'opened'>): ClientStep {
  const { context, weight, rounding, seed } = event
  if (!(Number.isSafeInteger(weight) && weight >= 1 && weight <= context.weightMax))
    fail('sample-count-invalid', `a weight is an integer from 1 to ${context.weightMax}`)
  const { boxKey, maskKey } = roundSecrets(seed)
  const body = advertise(context, { organisation: self.organisation, boxKey, maskKey, weight }, self.secret)
  return {
    state: { phase: 'advertised', context, weight, rounding, seed },
    effects: [{ type: 'send', message: 'masking-keys', body }],
  }
}

function place(roster: Roster, self: ClientOptions): number {
  return indexOf(roster).get(self.organisation) ?? fail('invalid-request', 'the roster leaves its receiver out')
}

/** Round 1, ShareKeys: both secrets, shared among neighbours that this participant draws itself. */
export function shareKeys(
  self: ClientOptions,
  state: ClientIn<'advertised'>,
  { members }: ClientEventOf<'roster'>,
): ClientStep {
  const roster = checkRoster(state.context, members)
  const own = place(roster, self)
  const secrets = roundSecrets(state.seed)
  const { boxKey, maskKey, weight } = members[own] ?? fail('internal', 'no such member')
  if (boxKey !== secrets.boxKey || maskKey !== secrets.maskKey || weight !== state.weight)
    fail('invalid-request', 'the roster has other keys of its receiver')
  const neighbours = drawNeighbours(own, members.length, roster.plan.neighbours, secrets.random('neighbours'))
  return {
    state: { ...state, phase: 'shared', members, neighbours },
    effects: [{ type: 'send', message: 'masking-shares', body: shareSecrets(roster, secrets, own, neighbours) }],
  }
}

/** Round 2, MaskedInputCollection: a mask with every partner, and one of its own. */
export function orderMasks(
  self: ClientOptions,
  state: ClientIn<'shared'>,
  { inbox }: ClientEventOf<'inbox'>,
): ClientStep {
  const roster = rosterOf(state.context, state.members)
  checkInbox(roster, self.organisation, state.neighbours, inbox)
  const order = maskOrder(self, state, roster, maskPartners(roster, state.neighbours, inbox))
  return { state: { ...state, phase: 'masking', inbox }, effects: [{ type: 'mask', order }] }
}

function maskOrder(
  self: ClientOptions,
  { seed, context, weight, rounding }: ClientIn<'shared'>,
  roster: Roster,
  partners: readonly number[],
): MaskOrder {
  const own = place(roster, self)
  const secrets = roundSecrets(seed)
  const masks = partners.map((other) => ({
    seed: pairSeed(roster, secrets.mask, own, other),
    sign: signFor(own, other),
  }))
  const selfMask = { seed: selfMaskSeed(roster, secrets.self, self.organisation), sign: 1 } as const
  return {
    length: context.length,
    weight,
    scale: roster.scale,
    rounding: roundingKey(rounding),
    masks: [...masks, selfMask].map(maskText),
  }
}

export function submitVector(
  self: ClientOptions,
  state: ClientIn<'masking'>,
  { vector }: ClientEventOf<'vector-masked'>,
): ClientStep {
  const roster = rosterOf(state.context, state.members)
  const { organisation, secret } = self
  const signature = signStatement(
    maskedStatement(roster, sharersDigest(state.inbox.sharers), { organisation, vector }),
    secret,
  )
  return {
    state: { ...state, phase: 'masked', vector },
    effects: [{ type: 'send', message: 'masking-input', body: { organisation, vector, signature } }],
  }
}

/** Round 3, ConsistencyCheck: signs one survivor set, the only one of this round. */
export function signSurvivors(
  self: ClientOptions,
  state: ClientIn<'masked'>,
  { survivors }: ClientEventOf<'survivors'>,
): ClientStep {
  const { organisation, secret } = self
  const { context, inbox, vector } = state
  const roster = rosterOf(context, state.members)
  checkSurvivors(context, roster, { organisation, vector }, inbox, survivors)
  const signed = survivorsDigest(survivors)
  const signature = signStatement(survivorsStatement(roster, sharersDigest(inbox.sharers), signed), secret)
  return {
    state: { ...state, phase: 'signed', survivors: survivors.map(({ organisation }) => organisation), signed },
    effects: [{ type: 'send', message: 'masking-agreement', body: { organisation, signature } }],
  }
}

/**
 * Round 4, Unmasking: for each neighbour's secret that it holds, the share of the self-mask seed of a survivor or the
 * share of the mask key of one that dropped out. Which of the two follows from the signed set alone: there is no list of
 * dropouts that a hub could fill. Afterwards no secret is left in the state.
 */
export function revealShares(
  self: ClientOptions,
  state: ClientIn<'signed'>,
  { agreements }: ClientEventOf<'quorum'>,
): ClientStep {
  const { context, inbox, signed } = state
  const roster = rosterOf(context, state.members)
  const statement = survivorsStatement(roster, sharersDigest(inbox.sharers), signed)
  checkAgreements(context, statement, state.survivors, agreements, roster.plan.quorum)
  const revealed = collectShares(self, state, roster)
  const body = {
    organisation: self.organisation,
    owners: revealed.map(({ owner }) => owner),
    shares: revealed.map(({ share }) => toHex(share)).join(''),
  }
  const report = { facts: rosterFacts(context, roster), weight: state.weight, vector: state.vector, signed }
  return { state: { phase: 'revealed', report }, effects: [{ type: 'reveal', report, body }] }
}

interface Revealed {
  readonly owner: number
  readonly share: Uint8Array
}

function collectShares(self: ClientOptions, state: ClientIn<'signed'>, roster: Roster): Revealed[] {
  const own = place(roster, self)
  const secrets = roundSecrets(state.seed)
  const survivors = new Set(state.survivors)
  const index = indexOf(roster)
  const others = state.inbox.boxes.flatMap(({ from, box }): Revealed[] => {
    const owner = index.get(from) ?? fail('internal', 'a box from nobody')
    const kind: ShareKind = survivors.has(from) ? 'self' : 'mask'
    const pair = tryOpen(() => openShares(roster, secrets.box, owner, own, box))
    return pair === undefined ? [] : [{ owner, share: pair[kind] }]
  })
  const kept = ownShare(roster, state, own)
  return [...others, { owner: own, share: kept }].sort((a, b) => a.owner - b.owner)
}

/** The share of the own self-mask seed that was kept: its owner has survived. */
function ownShare(roster: Roster, { seed, neighbours }: ClientIn<'signed'>, own: number): Uint8Array {
  const [kept] = dealShares(roster, roundSecrets(seed), own, neighbours)
  return kept?.self ?? fail('internal', 'no share was kept')
}

/** A box that does not open is its sender's fault, or the hub's: that share is missing, the others are not. */
function tryOpen<T>(open: () => T): T | undefined {
  try {
    return open()
  } catch (error) {
    if (error instanceof EntenteError && error.code === 'invalid-request') return undefined
    throw error
  }
}
