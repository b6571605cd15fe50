/** The moves of the hub: what is collected, and what happens when a phase is complete or over. */

import { EntenteError, fail } from '../../../base/errors.ts'
import { digestOf } from '../../../base/hash.ts'
import type { OrganisationId } from '../../../base/ids.ts'
import type { Step } from '../../../base/machine.ts'
import { collect, complete, type Named, names, requireSender } from '../../rounds/collecting.ts'
import {
  checkContribution,
  checkJoin,
  contextDigest,
  encryptedFacts,
  type EncryptionContext,
  openingStatement,
  requireQuorum,
  requireSigned,
  rosterOf,
} from './context.ts'
import type {
  AbandonReason,
  CollectingPhase,
  EncryptedRoundFacts,
  ServerEffect,
  ServerEventOf,
  ServerIn,
  ServerState,
} from './server-state.ts'

/** Collection of records: ciphertexts that members may fetch, by digest. */
export const LISTED_VECTORS = 'listed-vector'

export type ServerStep = Step<ServerState, ServerEffect>

export const only = (state: ServerState): ServerStep => ({ state, effects: [] })

function timer(phase: CollectingPhase, at: number): ServerEffect {
  return { type: 'after', at, event: { type: 'phase-over', phase, at } }
}

export function open({ context, phaseMs, deadline }: ServerEventOf<'opened'>): ServerStep {
  contextDigest(context)
  return {
    state: { phase: 'joining', context, phaseMs, gone: [], joins: [] },
    effects: [timer('joining', deadline)],
  }
}

export function takeJoin(state: ServerIn<'joining'>, { from, join, at }: ServerEventOf<'joined'>): ServerStep {
  requireSender(from, join)
  checkJoin(state.context, join)
  const next = { ...state, joins: collect(state.joins, join) }
  return complete(state.context.invited, next.joins, state.gone) ? closeJoining(next, at) : only(next)
}

export function closeJoining({ context, phaseMs, gone, joins }: ServerIn<'joining'>, at: number): ServerStep {
  if (!enough(context, joins.length))
    return abandon(names(joins), 'too-few-joined', `${joins.length} of ${context.invited.length} joined`)
  return {
    state: { phase: 'gathering', context, phaseMs, gone, members: joins, contributions: [] },
    effects: [
      { type: 'send', to: names(joins), message: 'encryption-roster', body: [...joins] },
      timer('gathering', at + phaseMs),
    ],
  }
}

function enough(context: EncryptionContext, present: number): boolean {
  try {
    requireQuorum(context, present)
    return true
  } catch (error) {
    if (error instanceof EntenteError && error.code === 'forbidden') return false
    throw error
  }
}

export function takeContribution(
  state: ServerIn<'gathering'>,
  { from, contribution }: ServerEventOf<'contribution'>,
): ServerStep {
  requireSender(from, contribution)
  checkContribution(state.context, rosterOf(state.context, state.members), contribution)
  const others = state.contributions.filter(({ organisation }) => organisation !== from)
  if (others.some(({ vector }) => vector === contribution.vector))
    fail('forbidden', `${from} sends the contribution of another organisation as its own`)
  const next = { ...state, contributions: collect(state.contributions, contribution) }
  return complete(state.members, next.contributions, state.gone) ? closeGathering(next) : only(next)
}

/** The list is frozen: whoever comes later is too late. */
export function closeGathering(state: ServerIn<'gathering'>): ServerStep {
  const { contributions, context } = state
  if (!enough(context, contributions.length))
    return abandon(names(state.members), 'too-few-contributions', `${contributions.length} contributed`)
  const vectors = contributions.map(({ vector }) => vector)
  return { state: { ...state, phase: 'summing' }, effects: [{ type: 'sum', vectors }] }
}

export function askAgreement(state: ServerIn<'summing'>, { sum, at }: ServerEventOf<'summed'>): ServerStep {
  const { contributions, ...rest } = state
  const list = { contributions: [...contributions], sum }
  return {
    state: { ...rest, phase: 'agreeing', list, agreements: [] },
    effects: [
      { type: 'send', to: names(contributions), message: 'encryption-list', body: list },
      timer('agreeing', at + state.phaseMs),
    ],
    // Members may fetch what is listed, to compute the sum themselves.
    records: contributions.map(({ vector }) => ({
      collection: LISTED_VECTORS,
      key: vector,
      value: { round: state.context.round },
    })),
  }
}

const statementOf = ({ context, members, list }: ServerIn<'agreeing' | 'opening' | 'combining'>) =>
  openingStatement(rosterOf(context, members), list.contributions, list.sum)

export function takeAgreement(
  state: ServerIn<'agreeing'>,
  { from, agreement, at }: ServerEventOf<'agreement'>,
): ServerStep {
  requireSender(from, agreement)
  if (!names(state.list.contributions).includes(from)) fail('round-closed', `${from} is not in the list of this round`)
  requireSigned(state.context, agreement.organisation, statementOf(state), agreement.signature)
  const next = { ...state, agreements: collect(state.agreements, agreement) }
  return complete(state.list.contributions, next.agreements, state.gone) ? closeAgreeing(next, at) : only(next)
}

export function closeAgreeing(state: ServerIn<'agreeing'>, at: number): ServerStep {
  const { agreements, context, list } = state
  const quorum = requireQuorum(context, list.contributions.length)
  if (agreements.length < Math.max(quorum, context.threshold))
    return abandon(names(list.contributions), 'too-few-signatures', `${agreements.length} of ${quorum} signed`)
  return {
    state: { ...state, phase: 'opening', partials: [] },
    effects: [
      { type: 'send', to: names(agreements), message: 'encryption-quorum', body: agreements.slice(0, quorum) },
      timer('opening', at + state.phaseMs),
    ],
  }
}

export function takePartial(state: ServerIn<'opening'>, { from, partial }: ServerEventOf<'partial'>): ServerStep {
  requireSender(from, partial)
  if (!names(state.agreements).includes(from)) fail('round-closed', `${from} has not signed the list`)
  const next = { ...state, partials: collect(state.partials, partial) }
  return complete(state.agreements, next.partials, state.gone) ? closeOpening(next) : only(next)
}

export function closeOpening(state: ServerIn<'opening'>): ServerStep {
  const { partials, context, list } = state
  if (partials.length < context.threshold)
    return abandon(names(list.contributions), 'too-few-shares', `${partials.length} of ${context.threshold} opened`)
  const order = { sum: list.sum, statement: digestOf(statementOf(state)), partials }
  return { state: { ...state, phase: 'combining' }, effects: [{ type: 'combine', ...order }] }
}

export function finish(state: ServerIn<'combining'>, { sums, used, blamed }: ServerEventOf<'combined'>): ServerStep {
  const facts = factsOf(state, used, blamed)
  return { state: { phase: 'done', facts, sums }, effects: [{ type: 'report-sum', facts, sums }] }
}

function factsOf(
  { context, members, list, agreements }: ServerIn<'combining'>,
  opened: readonly OrganisationId[],
  blamed: readonly OrganisationId[],
): EncryptedRoundFacts {
  const weightOf = (name: OrganisationId): number => members.find((one) => one.organisation === name)?.weight ?? 0
  return {
    ...encryptedFacts(context, rosterOf(context, members)),
    survivors: list.contributions.map(({ organisation, vector }) => ({
      organisation,
      weight: weightOf(organisation),
      vector,
    })),
    sum: list.sum,
    signatures: agreements.length,
    opened,
    blamed,
  }
}

/** Nobody waits for it any longer; until the list is frozen, what it sent is left out too. */
export function withdraw(state: ServerIn<CollectingPhase>, { organisation, at }: ServerEventOf<'gone'>): ServerStep {
  if (state.gone.includes(organisation)) return only(state)
  const gone = [...state.gone, organisation].sort()
  const others = <T extends Named>(all: readonly T[]): T[] => all.filter((one) => one.organisation !== organisation)
  switch (state.phase) {
    case 'joining': {
      const next = { ...state, gone, joins: others(state.joins) }
      return complete(state.context.invited, next.joins, gone) ? closeJoining(next, at) : only(next)
    }
    case 'gathering': {
      const next = { ...state, gone, contributions: others(state.contributions) }
      return complete(state.members, next.contributions, gone) ? closeGathering(next) : only(next)
    }
    case 'agreeing':
      return complete(state.list.contributions, state.agreements, gone)
        ? closeAgreeing({ ...state, gone }, at)
        : only({ ...state, gone })
    case 'opening':
      return complete(state.agreements, state.partials, gone)
        ? closeOpening({ ...state, gone })
        : only({ ...state, gone })
  }
}

export function abandon(
  to: readonly OrganisationId[],
  reason: AbandonReason,
  detail: string,
  blamed: readonly OrganisationId[] = [],
): ServerStep {
  return {
    state: { phase: 'abandoned', reason, detail, blamed },
    effects: [{ type: 'notify-abandoned', to, reason, detail, blamed }],
  }
}
