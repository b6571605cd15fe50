/** The moves of the hub: what is collected, and what happens when a phase is complete or over. */

import { EntenteError, fail } from '../../base/errors.ts'
import type { OrganisationId } from '../../base/ids.ts'
import type { Step } from '../../base/machine.ts'
import type { Blame } from './blame.ts'
import { checkMasked, sharersDigest, survivorsDigest, survivorsStatement } from './client-checks.ts'
import { contextDigest, type MaskingContext, verifyStatement } from './context.ts'
import type { AdvertisedKeys, MaskedInput, Reveal, Shares } from './messages.ts'
import { recoverMasks } from './recover.ts'
import { agree, agreementSecret } from './keys.ts'
import { checkKeys, type Roster, rosterFacts, rosterOf } from './roster.ts'
import { collect, complete, type Named, names, requireSender } from '../rounds/collecting.ts'
import { checkReveal, checkShares, usableSharers } from './server-checks.ts'
import type {
  AbandonReason,
  CollectingPhase,
  RoundFacts,
  ServerEffect,
  ServerEventOf,
  ServerIn,
  ServerState,
} from './server-state.ts'
import { maskText, type UnmaskOrder } from './vector.ts'

/** Any secret will do to see whether a key is of small order; this one is no secret. */
const TRIAL_SECRET = agreementSecret(new Uint8Array(32).fill(1))

const NOBODY: Blame = { blamed: [], disputed: [] }

export type ServerStep = Step<ServerState, ServerEffect>

export const only = (state: ServerState): ServerStep => ({ state, effects: [] })

function timer(phase: CollectingPhase, at: number): ServerEffect {
  return { type: 'after', at, event: { type: 'phase-over', phase, at } }
}

export function open({ context, phaseMs, deadline }: ServerEventOf<'opened'>): ServerStep {
  return {
    state: { phase: 'advertising', context, contextDigest: contextDigest(context), phaseMs, gone: [], keys: [] },
    effects: [{ type: 'open', to: names(context.invited), context }, timer('advertising', deadline)],
  }
}

/** Round 0. */
export function takeKeys(state: ServerIn<'advertising'>, { from, keys, at }: ServerEventOf<'keys'>): ServerStep {
  requireSender(from, keys)
  checkKeys(state.context, state.contextDigest, keys)
  requireFreshKeys(state.keys, keys)
  const next = { ...state, keys: collect(state.keys, keys) }
  return complete(state.context.invited, next.keys, state.gone) ? closeAdvertising(next, at) : only(next)
}

function requireFreshKeys(all: readonly AdvertisedKeys[], one: AdvertisedKeys): void {
  const others = all.filter(({ organisation }) => organisation !== one.organisation)
  const taken = new Set(others.flatMap(({ boxKey, maskKey }) => [boxKey, maskKey]))
  if (one.boxKey === one.maskKey || taken.has(one.boxKey) || taken.has(one.maskKey))
    fail('invalid-request', `${one.organisation} advertises a key that is not its own alone`)
  // A key of small order would stop every participant that agrees with it.
  for (const key of [one.boxKey, one.maskKey]) agree(TRIAL_SECRET, key)
}

export function closeAdvertising(state: ServerIn<'advertising'>, at: number): ServerStep {
  const { context, contextDigest, phaseMs, gone, keys } = state
  if (tryRoster(context, keys) === undefined)
    return abandon(names(keys), 'too-few-keys', `${keys.length} of ${context.invited.length} advertised keys`)
  return {
    state: { phase: 'sharing', context, contextDigest, phaseMs, gone, members: keys, shares: [] },
    effects: [
      { type: 'send', to: names(keys), message: 'masking-roster', body: [...keys] },
      timer('sharing', at + phaseMs),
    ],
  }
}

function tryRoster(context: MaskingContext, keys: readonly AdvertisedKeys[]): Roster | undefined {
  try {
    return rosterOf(context, keys)
  } catch (error) {
    if (error instanceof EntenteError && error.code === 'forbidden') return undefined
    throw error
  }
}

/** Round 1. */
export function takeShares(state: ServerIn<'sharing'>, { from, shares, at }: ServerEventOf<'shares'>): ServerStep {
  requireSender(from, shares)
  checkShares(rosterOf(state.context, state.members), shares)
  const next = { ...state, shares: collect(state.shares, shares) }
  return complete(state.members, next.shares, state.gone) ? closeSharing(next, at) : only(next)
}

export function closeSharing(state: ServerIn<'sharing'>, at: number): ServerStep {
  const roster = rosterOf(state.context, state.members)
  const shares = usableSharers(roster, state.shares)
  if (shares.length < roster.plan.quorum)
    return abandon(names(state.members), 'too-few-shares', `${shares.length} of ${roster.plan.quorum} shared`)
  return {
    state: { ...state, phase: 'masking', shares, vectors: [] },
    effects: [...inboxes(roster, shares), timer('masking', at + state.phaseMs)],
  }
}

function inboxes(roster: Roster, shares: readonly Shares[]): ServerEffect[] {
  const sharers = names(shares)
  const boxes = new Map(sharers.map((name) => [name, [] as { from: OrganisationId; box: string }[]]))
  for (const { organisation, neighbours, boxes: sent } of shares)
    neighbours.forEach((to, i) =>
      boxes.get(roster.members[to]?.organisation ?? organisation)?.push({ from: organisation, box: sent[i] ?? '' }),
    )
  return sharers.map((to) => ({
    type: 'send',
    to: [to],
    message: 'masking-inbox',
    body: { sharers, boxes: boxes.get(to) ?? [] },
  }))
}

/** Round 2. */
export function takeVector(state: ServerIn<'masking'>, { from, input, at }: ServerEventOf<'vector'>): ServerStep {
  requireSender(from, input)
  const sharers = names(state.shares)
  if (!sharers.includes(from)) fail('not-a-participant', `${from} has not shared its keys`)
  checkMasked(state.context, rosterOf(state.context, state.members), sharersDigest(sharers), input)
  const next = { ...state, vectors: collect(state.vectors, input) }
  return complete(state.shares, next.vectors, state.gone) ? closeMasking(next, at) : only(next)
}

export function closeMasking(state: ServerIn<'masking'>, at: number): ServerStep {
  const { vectors, ...rest } = state
  const { plan } = rosterOf(state.context, state.members)
  if (vectors.length < plan.quorum)
    return abandon(names(state.shares), 'too-few-vectors', `${vectors.length} of ${plan.quorum} masked`)
  return {
    state: { ...rest, phase: 'agreeing', survivors: vectors, agreements: [] },
    effects: [
      { type: 'send', to: names(vectors), message: 'masking-survivors', body: [...vectors] },
      timer('agreeing', at + state.phaseMs),
    ],
  }
}

/** Round 3. */
export function takeAgreement(
  state: ServerIn<'agreeing'>,
  { from, agreement, at }: ServerEventOf<'agreement'>,
): ServerStep {
  requireSender(from, agreement)
  requireSurvivor(state.survivors, from)
  const roster = rosterOf(state.context, state.members)
  const statement = survivorsStatement(roster, sharersDigest(names(state.shares)), survivorsDigest(state.survivors))
  const key = state.context.invited.find(({ organisation }) => organisation === from)?.publicKey ?? ''
  if (!verifyStatement(statement, agreement.signature, key))
    fail('signature-invalid', `${from} has not signed the survivors of this round`)
  const next = { ...state, agreements: collect(state.agreements, agreement) }
  return complete(state.survivors, next.agreements, state.gone) ? closeAgreeing(next, at) : only(next)
}

function requireSurvivor(survivors: readonly MaskedInput[], from: OrganisationId): void {
  if (!names(survivors).includes(from)) fail('round-closed', `${from} is not among the survivors of this round`)
}

export function closeAgreeing(state: ServerIn<'agreeing'>, at: number): ServerStep {
  const { plan } = rosterOf(state.context, state.members)
  const { agreements } = state
  if (agreements.length < plan.quorum)
    return abandon(names(state.survivors), 'too-few-signatures', `${agreements.length} of ${plan.quorum} signed`)
  return {
    state: { ...state, phase: 'unmasking', reveals: [] },
    effects: [
      { type: 'send', to: names(agreements), message: 'masking-quorum', body: agreements.slice(0, plan.quorum) },
      timer('unmasking', at + state.phaseMs),
    ],
  }
}

/** Round 4. */
export function takeReveal(state: ServerIn<'unmasking'>, { from, reveal }: ServerEventOf<'reveal'>): ServerStep {
  requireSender(from, reveal)
  if (!names(state.agreements).includes(from)) fail('round-closed', `${from} has not signed the survivors`)
  checkReveal(rosterOf(state.context, state.members), state.shares, reveal)
  const next = { ...state, reveals: collect<Reveal>(state.reveals, reveal) }
  return complete(state.agreements, next.reveals, state.gone) ? closeUnmasking(next) : only(next)
}

export function closeUnmasking(state: ServerIn<'unmasking'>): ServerStep {
  const roster = rosterOf(state.context, state.members)
  const survivors = names(state.survivors)
  const recovery = recoverMasks({ roster, shares: state.shares, survivors, reveals: state.reveals })
  // No name: whose secret lacks shares may be the one that everybody else left alone.
  if (!recovery.ok) return abandon(survivors, recovery.reason, DETAILS[recovery.reason], recovery)
  const facts = factsOf(state, roster, recovery)
  const order: UnmaskOrder = {
    length: state.context.length,
    scale: roster.scale,
    totalWeight: facts.survivors.reduce((sum, { weight }) => sum + weight, 0),
    vectors: state.survivors.map(({ organisation, vector }) => ({ organisation, vector })),
    masks: recovery.masks.map(maskText),
  }
  return { state: { phase: 'summing', facts, participants: survivors }, effects: [{ type: 'unmask', order }] }
}

const DETAILS = {
  'too-few-reveals': 'too few shares of a secret were revealed',
  'false-shares': 'the shares of a secret do not open it',
} as const

function factsOf(state: ServerIn<'unmasking'>, roster: Roster, { blamed, disputed }: Blame): RoundFacts {
  const weights = new Map(state.members.map(({ organisation, weight }) => [organisation, weight]))
  const survivors = state.survivors.map(({ organisation, vector }) => ({
    organisation,
    vector,
    weight: weights.get(organisation) ?? 0,
  }))
  return {
    ...rosterFacts(state.context, roster),
    shared: state.shares.length,
    survivors,
    signatures: state.agreements.length,
    revealed: state.reveals.length,
    blamed,
    ...(disputed.length === 0 ? {} : { disputed }),
  }
}

/**
 * Nobody waits for it any longer. Until the survivors are named, whatever it sent is left out too: consent ends with
 * membership. Afterwards its vector is in the sum, and cannot be had out of it.
 */
export function withdraw(state: ServerIn<CollectingPhase>, { organisation, at }: ServerEventOf<'gone'>): ServerStep {
  if (state.gone.includes(organisation)) return only(state)
  const gone = [...state.gone, organisation].sort()
  const others = <T extends Named>(all: readonly T[]): T[] => all.filter((one) => one.organisation !== organisation)
  switch (state.phase) {
    case 'advertising': {
      const next = { ...state, gone, keys: others(state.keys) }
      return complete(state.context.invited, next.keys, gone) ? closeAdvertising(next, at) : only(next)
    }
    case 'sharing': {
      const next = { ...state, gone, shares: others(state.shares) }
      return complete(state.members, next.shares, gone) ? closeSharing(next, at) : only(next)
    }
    case 'masking': {
      const next = { ...state, gone, vectors: others(state.vectors) }
      return complete(state.shares, next.vectors, gone) ? closeMasking(next, at) : only(next)
    }
    case 'agreeing': {
      const next = { ...state, gone }
      return complete(state.survivors, state.agreements, gone) ? closeAgreeing(next, at) : only(next)
    }
    case 'unmasking': {
      const next = { ...state, gone }
      return complete(state.agreements, state.reveals, gone) ? closeUnmasking(next) : only(next)
    }
  }
}

export function finish({ facts }: ServerIn<'summing'>, { sum, added }: ServerEventOf<'summed'>): ServerStep {
  const found = { facts, sum, ...(added === undefined ? {} : { added }) }
  return { state: { phase: 'done', ...found }, effects: [{ type: 'report-sum', ...found }] }
}

export function abandon(
  to: readonly OrganisationId[],
  reason: AbandonReason,
  detail: string,
  { blamed, disputed }: Blame = NOBODY,
): ServerStep {
  const found = { reason, detail, blamed, ...(disputed.length === 0 ? {} : { disputed }) }
  return { state: { phase: 'abandoned', ...found }, effects: [{ type: 'notify-abandoned', to, ...found }] }
}
