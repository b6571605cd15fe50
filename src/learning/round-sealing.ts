/** From the aggregate to the end: the ledger is asked to seal, the block is broadcast, the training is told. */

import type { SealRequested } from '../ledger/sealing.ts'
import { roundBlockContent } from './block-content.ts'
import type { AggregateResult, EventOf, Participant, RoundFacts, RoundIn } from './round-state.ts'
import { abandon, moved, names, remaining, reply, type RoundStep, unchanged } from './round-step.ts'

/** Who leaves later is in the aggregate already; it only need not sign. */
export function remember(state: RoundIn<'aggregating' | 'sealing'>, event: EventOf<'participant-left'>): RoundStep {
  if (!names(remaining(state)).includes(event.organisation)) return unchanged(state)
  return moved({ ...state, left: [...state.left, event.organisation].toSorted() })
}

/** With nobody left to sign, the ledger would seal at once, unsigned: so the minimum is checked before it is asked. */
export function startSealing(state: RoundIn<'aggregating'>, event: EventOf<'aggregated'>): RoundStep {
  const contributed = new Set(state.contributions.map(({ organisation }) => organisation))
  const signers = remaining(state).filter(({ organisation }) => contributed.has(organisation))
  const { participantsMin } = state.config.round
  const detail = `${signers.length} of at least ${participantsMin} are left to sign`
  if (signers.length < participantsMin) return abandon(state, 'too-few-participants', detail, event.at)
  const { model, strategyState, normDifference, gradientNorm, convergence, durationMs, robust, unclipped } = event
  const aggregate: AggregateResult = {
    ...{ model, strategyState, normDifference, gradientNorm, convergence, durationMs },
    ...(robust === undefined ? {} : { robust }),
    ...(unclipped === undefined ? {} : { unclipped }),
  }
  const next: RoundIn<'sealing'> = { ...state, phase: 'sealing', aggregate }
  return moved(next, { type: 'dispatch', stream: 'ledger', event: sealRequest(state, aggregate, signers, event.at) })
}

function sealRequest(
  state: RoundFacts,
  aggregate: AggregateResult,
  signers: readonly Participant[],
  at: number,
): SealRequested {
  return {
    type: 'seal-requested',
    id: state.roundId,
    content: roundBlockContent(state, aggregate),
    signers: signers.map(({ organisation, publicKey }) => ({ org_id: organisation, public_key: publicKey })),
    signaturesMin: state.config.round.participantsMin,
    at,
    deadline: at + state.config.round.sealTimeoutMs,
    replyStream: `round/${state.roundId}`,
  }
}

export function startBroadcasting(state: RoundIn<'sealing'>, { height, hash }: EventOf<'sealed'>): RoundStep {
  const next: RoundIn<'broadcasting'> = { ...state, phase: 'broadcasting', block: { height, hash } }
  return moved(next, { type: 'confirm-broadcast', roundId: state.roundId, height, hash, model: state.aggregate.model })
}

export function finish(state: RoundIn<'broadcasting'>, at: number): RoundStep {
  const { roundId, round, left, baseModel, block } = state
  const { model, strategyState, unclipped } = state.aggregate
  const counted = unclipped === undefined ? {} : { unclipped }
  const next: RoundIn<'done'> = { ...state, phase: 'done', endedAt: at }
  return moved(
    next,
    reply(state, {
      type: 'round-finished',
      roundId,
      round,
      left,
      baseModel,
      model,
      strategyState,
      ...counted,
      ...block,
      at,
    }),
  )
}
