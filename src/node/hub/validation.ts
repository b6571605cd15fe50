/** What organisations say of the models that they were sent. */

import type { Envelope } from '../../base/envelope.ts'
import { fail } from '../../base/errors.ts'
import type { OrganisationId } from '../../base/ids.ts'
import { parseBody } from '../../learning/messages.ts'
import type { RoundState } from '../../learning/round-state.ts'
import { VALIDATION, type ValidationEvent, type ValidationRecord } from '../../learning/validation.ts'
import type { Dispatch, Drive } from '../drive.ts'
import type { Store } from '../ports.ts'
import type { HubContext } from './identity.ts'

/** Every member is sent the model, so every member may speak. @throws unknown-round, invalid-request */
export async function validatedEvent(
  { ports }: HubContext,
  drive: Drive,
  envelope: Envelope,
  organisation: OrganisationId,
): Promise<Dispatch & { readonly event: ValidationEvent }> {
  const { round_id, model, improvement_percent: improvementPercent } = parseBody('model-validated', envelope.body)
  const round = (await drive.read(`round/${round_id}`)) as RoundState | undefined
  if (round === undefined || round.phase === 'unopened') fail('unknown-round', `there is no round ${round_id}`)
  const made = 'aggregate' in round ? round.aggregate.model : undefined
  if (made !== model || (await ports.store.readRecord('model', model)) === undefined)
    fail('invalid-request', `round ${round_id} has not sealed the model ${model}`)
  const event = { type: 'validated', organisation, model, improvementPercent, at: ports.clock.now() } as const
  return { stream: `${VALIDATION}/${round_id}`, event }
}

/** Undefined before anybody has said anything. */
export async function readValidation(store: Store, round: string): Promise<ValidationRecord | undefined> {
  return (await store.readRecord(VALIDATION, round)) as ValidationRecord | undefined
}
