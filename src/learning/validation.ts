/**
 * What validators say of the model of a round. Stream `validation/<roundId>`, at the hub, beside the round: the block is
 * sealed before anybody but the hub has the model, so their word is no part of it, and nothing waits for it.
 *
 * 1. An organisation has one word a round: the same again changes nothing, another one is refused.
 * 2. Nobody can veto: a verdict neither ends a round nor changes a model. It is shown, and a person looks.
 */

import { fail } from '../base/errors.ts'
import type { Digest, OrganisationId, RoundId } from '../base/ids.ts'
import type { Machine, RecordWrite, Step } from '../base/machine.ts'
import { aggregationQuality } from './robust/quality.ts'

export interface ValidationState {
  readonly roundId: RoundId
  /** Null before the first verdict. */
  readonly model: Digest | null
  /** By organisation: whole percent of a nat, as verdict.ts makes them. */
  readonly verdicts: Readonly<Record<OrganisationId, number>>
}

export interface ValidationEvent {
  readonly type: 'validated'
  readonly organisation: OrganisationId
  /** That the round sealed. */
  readonly model: Digest
  readonly improvementPercent: number
  readonly at: number
}

/** The record `validation/<roundId>`: what everybody may see. Who said what stays between the hub and that organisation. */
export interface ValidationRecord {
  readonly round_id: RoundId
  readonly model: Digest
  readonly validators: number
  /** Of them, for whom the model became clearly worse; null where too few say anything. */
  readonly worse: number | null
  /** Null with fewer than three validators. */
  readonly aggregation_quality: number | null
  readonly byzantine_detection_triggered: boolean
}

export const VALIDATION = 'validation'

export const validationMachine: Machine<ValidationState, ValidationEvent, never> = {
  kind: VALIDATION,
  initial: (streamId) => ({ roundId: streamId.slice(VALIDATION.length + 1) as RoundId, model: null, verdicts: {} }),
  step: validated,
}

function validated(state: ValidationState, event: ValidationEvent): Step<ValidationState, never> {
  const { organisation, model, improvementPercent } = event
  const { roundId, verdicts } = state
  if (state.model !== null && state.model !== model) fail('invalid-request', `round ${roundId} made another model`)
  const before = Object.hasOwn(verdicts, organisation) ? verdicts[organisation] : undefined
  if (before === improvementPercent) return { state, effects: [] }
  if (before !== undefined) fail('already-submitted', `${organisation} has said what it thinks of round ${roundId}`)
  const next = { roundId, model, verdicts: { ...verdicts, [organisation]: improvementPercent } }
  const record: RecordWrite = { collection: VALIDATION, key: roundId, value: recordOf(next, model) }
  return { state: next, effects: [], records: [record] }
}

function recordOf({ roundId, verdicts }: ValidationState, model: Digest): ValidationRecord {
  const said = (Object.entries(verdicts) as [OrganisationId, number][]).map(([organisation, percent]) => ({
    organisation,
    improvement: percent / 100,
  }))
  const found = aggregationQuality(said)
  return {
    round_id: roundId,
    model,
    validators: said.length,
    worse: found?.worse ?? null,
    aggregation_quality: found?.quality ?? null,
    byzantine_detection_triggered: found?.collapsed ?? false,
  }
}

interface WithMetrics {
  readonly metrics: { readonly byzantine_detection_triggered?: boolean } | null
}

/** The record of a round with what validators say of its model, under the names of the ledger document, section 5.2. */
export function withQuality<R extends WithMetrics>(round: R, validation: ValidationRecord | undefined) {
  if (validation === undefined || round.metrics === null) return round
  const { aggregation_quality, byzantine_detection_triggered: collapsed, validators, worse } = validation
  if (aggregation_quality === null) return { ...round, metrics: { ...round.metrics, validators } }
  const triggered = collapsed || round.metrics.byzantine_detection_triggered === true
  return {
    ...round,
    metrics: { ...round.metrics, aggregation_quality, validators, worse, byzantine_detection_triggered: triggered },
  }
}
