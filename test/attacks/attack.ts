/**
 * Attacks on federated learning, for tests and benches: what organisations that lie send, or what they train on. The
 * adversary here is the strongest of the papers: all liars are one, know the rule, and see every honest update of the
 * round before they choose.
 */

import type { Prng } from '../../src/base/prng.ts'
import type { LabelledBatchSource } from '../../src/models/model.ts'

export interface Situation {
  /** What the liars' own honest training gave, one update each. */
  readonly own: readonly Float32Array[]
  /** Updates of the honest organisations. */
  readonly honest: readonly Float32Array[]
  /** What the round before changed in the model; null in the first round. */
  readonly previous: Float32Array | null
  /** What the liars' own training gave in the first round. */
  readonly first: readonly Float32Array[]
  readonly random: Prng
}

/** Lies about what was learned. Gives one update for each of `own`, with fresh values. */
export interface UpdateAttack {
  readonly kind: 'update'
  readonly name: string
  readonly source: string
  updates(situation: Situation): Float32Array[]
}

/** Learns from false data, and may make its update longer. */
export interface DataAttack {
  readonly kind: 'data'
  readonly name: string
  readonly source: string
  poison(data: LabelledBatchSource, random: Prng): LabelledBatchSource
  /** Factor of the update that this training gives. @param liars - of `organisations` */
  scale(liars: number, organisations: number): number
}

export type Attack = UpdateAttack | DataAttack
