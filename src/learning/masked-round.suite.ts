/** A masked round of three with noise of whole organisations: the block that its hub proposes, and what org-a makes of it. */

import { blockHash, proposeBlock } from '../ledger/block.ts'
import { survivorsDigest } from '../privacy/masking/client-checks.ts'
import { roundBlockContent } from './block-content.ts'
import type { TrainingConfig } from './config.ts'
import { AGGREGATED, digestFor, MASKED_SUM, OPENED_AT, opening, participants, ROUND } from './learning.suite.ts'
import { maskedStages } from './masking-config.ts'
import { coordinateBound } from './organisation-privacy.ts'
import type { participantMachine } from './participant.ts'
import type { ParticipantEvent, ParticipantState } from './participant-state.ts'
import { roundMachine } from './round.ts'
import type { MaskedSum, OpenedRound, RoundEvent } from './round-state.ts'
import { expectedStages } from './stages.ts'

type Facts = (typeof MASKED_SUM)['facts']

/** As the machines record a sum on the grid of the noise, in which all weigh 1. */
export function factsOf(config: TrainingConfig): Facts {
  const grid = coordinateBound(config).grid ?? { clip: 1, levels: 1 }
  const survivors = MASKED_SUM.facts.survivors.map((one) => ({ ...one, weight: 1 }))
  return { ...MASKED_SUM.facts, ...grid, weightMax: 1, survivors }
}

export function announcementOf(config: TrainingConfig): ParticipantEvent {
  return {
    type: 'announced',
    announcement: {
      ...{ round_id: ROUND, training_id: opening().trainingId, round: 1, base_model: digestFor('base'), config },
      deadline: OPENED_AT + 1_000,
      invited: participants('org-a', 'org-b', 'org-c').map((one) => ({ ...one })),
    },
    at: OPENED_AT + 1,
  }
}

interface Proposed {
  readonly facts?: Facts
  /** That the hub says it added. */
  readonly noise?: MaskedSum['noise']
  /** Members of `privacy_params` that it changes afterwards. */
  readonly lie?: Readonly<Record<string, unknown>>
}

export function proposedBlock(config: TrainingConfig, { facts = factsOf(config), noise, lie = {} }: Proposed = {}) {
  const unmasked = { ...MASKED_SUM, facts, ...(noise === undefined ? {} : { noise }) }
  const events: RoundEvent[] = [opening({ config }), { type: 'unmasked', ...unmasked, at: 0 }]
  const state = events.reduce(
    (before, event) => roundMachine.step(before, event).state,
    roundMachine.initial(`round/${ROUND}`),
  )
  const content = roundBlockContent(state as OpenedRound, AGGREGATED)
  const said = { ...(content.provenance.privacy_params as object), ...lie } as never
  const provenance = { ...content.provenance, privacy_params: said }
  const block = proposeBlock({ ...content, provenance }, undefined, OPENED_AT + 20)
  return { ...block, hash: blockHash(block) }
}

/** Of org-a, which did what the configuration asks for, after this block was proposed to it. */
export function afterProposal(
  machine: ReturnType<typeof participantMachine>,
  config: TrainingConfig,
  block: unknown,
): ParticipantState {
  const facts = factsOf(config)
  const events = [
    announcementOf(config),
    {
      ...{ type: 'trained', update: { digest: digestFor('clear'), size: 99 }, sampleCount: 1, metrics: {} },
      ...{ stages: expectedStages(config), dataSources: [], at: OPENED_AT + 2 },
    },
    {
      ...{ type: 'masked', update: { digest: digestFor('vector-org-a'), size: 16 }, sampleCount: 1 },
      stages: maskedStages(expectedStages(config), facts),
      survivors: survivorsDigest(facts.survivors),
      at: OPENED_AT + 10,
    },
    { type: 'proposal', id: ROUND, block, at: OPENED_AT + 30 },
  ] as ParticipantEvent[]
  return events.reduce((state, event) => machine.step(state, event).state, machine.initial(`participant/${ROUND}`))
}
