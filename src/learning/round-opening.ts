/** Whether two openings of a round are the same one, delivered twice. */

import { digestOf } from '../base/hash.ts'
import type { OpenedRound, RoundOpened } from './round-state.ts'

export function sameOpening(state: OpenedRound, event: RoundOpened): boolean {
  return (
    state.trainingId === event.trainingId &&
    state.round === event.round &&
    state.baseModel === event.baseModel &&
    state.openedAt === event.at &&
    digestOf(state.config) === digestOf(event.config)
  )
}
