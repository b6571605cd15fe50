/** How noise for whole organisations is added, by whom, and whom one has to trust for it. */

import type { NoiseLaw } from '../privacy/dp/table.ts'

/** Each organisation adds all the noise itself: the guarantee holds against everybody else. */
export const LOCAL_MECHANISM = 'local-discrete-gaussian'
/** Each adds a share, and the sum of secure aggregation has enough: against the hub with the corrupt that masking withstands. */
export const SHARED_MECHANISM = 'distributed-discrete-gaussian'
/** Likewise, with shares that add up to noise of the same kind. */
export const SKELLAM_MECHANISM = 'distributed-skellam'
/** The hub adds it to the sum of secure aggregation: against everybody but the hub, on its word. */
export const CENTRAL_MECHANISM = 'central-discrete-gaussian'

export const MECHANISMS = [LOCAL_MECHANISM, SHARED_MECHANISM, SKELLAM_MECHANISM, CENTRAL_MECHANISM] as const
export type Mechanism = (typeof MECHANISMS)[number]

/** What an organisation takes part in unless it is told otherwise: no hub can leave the noise away by asking to add it itself. */
export const UNTRUSTING_MECHANISMS: readonly Mechanism[] = MECHANISMS.filter((one) => one !== CENTRAL_MECHANISM)

/** Whether each organisation adds a share of the noise only. */
export const isSharedMechanism = (mechanism: unknown): boolean =>
  mechanism === SHARED_MECHANISM || mechanism === SKELLAM_MECHANISM

export const lawOf = (mechanism: Mechanism): NoiseLaw =>
  mechanism === SKELLAM_MECHANISM ? 'skellam' : 'discrete-gaussian'
