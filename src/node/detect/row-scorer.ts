/**
 * Interactions in, scores out, in order: rows are scored in batches, and everything that depends on order (what is usual,
 * who met whom) is brought up to date row by row while the scores are judged. So nothing depends on where a batch ends.
 */

import { fail } from '../../base/errors.ts'
import { UsualRow } from '../../models/detection/attribution.ts'
import type { Objective } from '../../models/model.ts'
import type { FeatureStream } from '../../telemetry/features.ts'
import type { Interaction } from '../../telemetry/interaction.ts'
import type { LoadedModel } from './model-file.ts'
import { RecentInteractions } from './recent.ts'
import { createRowSource, type RowLayout, rowLayout } from './row-source.ts'

const BATCH_ROWS = 1024
/** Interactions that are remembered of a host for explanations. */
const RECENT = 8

/** Of the usual rows so many are one in the mean: it is as good, and every row would cost a thirtieth of the speed. */
const USUAL_STRIDE = 4

/** An interaction and where it was read. */
export interface Judged {
  readonly interaction: Interaction
  readonly line: number
  readonly log: string
}

/**
 * Told each score in order. The row begins at rows[offset], and is overwritten afterwards. What is unusual does not count
 * into the usual row.
 */
export type Judge = (judged: Judged, score: number, rows: Float32Array, offset: number) => 'usual' | 'unusual'

export class RowScorer {
  readonly layout: RowLayout
  /** Of the columns that have names; a mean of links would be the link of nobody. */
  readonly usual: UsualRow
  readonly recent: RecentInteractions
  private readonly model: LoadedModel
  private readonly objective: Objective
  private readonly rows: FeatureStream
  private readonly batch: Float32Array
  private readonly pending: Judged[] = []
  private usualSeen = 0

  /** @throws wrong-shape if this version makes no rows for the model; config-invalid for a malformed network */
  constructor(model: LoadedModel, objective: Objective, localNetworks: readonly string[]) {
    this.model = model
    this.objective = objective
    this.layout = rowLayout(model.spec)
    this.rows = createRowSource(model.spec, localNetworks)
    this.batch = new Float32Array(BATCH_ROWS * this.layout.width)
    this.usual = new UsualRow(this.layout.names.length)
    this.recent = new RecentInteractions(Math.max(RECENT, this.layout.links.length / 2))
  }

  score(rows: Float32Array, count: number): Float32Array {
    return this.model.score(rows, count, this.objective)
  }

  /** Takes an interaction of the past into the memory without scoring it; nothing may be pending. */
  learn(interaction: Interaction): void {
    this.rows.push(interaction, this.batch, 0)
    this.usual.add(this.batch, 0)
    this.recent.push(interaction)
  }

  push(judged: Judged, judge: Judge): void {
    this.rows.push(judged.interaction, this.batch, this.pending.length * this.layout.width)
    this.pending.push(judged)
    if (this.pending.length === BATCH_ROWS) this.flush(judge)
  }

  /** Has everything judged that was pushed. @throws not-finite if the model gives no number */
  flush(judge: Judge): void {
    const { pending, batch } = this
    const { width } = this.layout
    if (pending.length === 0) return
    const scores = this.score(batch, pending.length)
    for (let i = 0; i < pending.length; i++) {
      const judged = pending[i] as Judged
      const score = scores[i] as number
      if (!Number.isFinite(score)) fail('not-finite', 'a score is not a number: the model is damaged')
      const verdict = judge(judged, score, batch, i * width)
      if (verdict === 'usual' && this.usualSeen++ % USUAL_STRIDE === 0) this.usual.add(batch, i * width)
      this.recent.push(judged.interaction)
    }
    pending.length = 0
  }
}
