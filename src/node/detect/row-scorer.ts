/**
 * Interactions in, scores out, in order: rows are scored in batches, and everything that depends on order (what is usual,
 * who met whom) is brought up to date row by row while the scores are judged. So nothing depends on where a batch ends, nor
 * on when it is scored: an accelerator, which answers later, gets full batches, and they are judged in order in `settle`.
 */

import { fail } from '../../base/errors.ts'
import type { AcceleratedModel } from '../../models/accelerator.ts'
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

interface Batch {
  readonly rows: Float32Array
  readonly of: readonly Judged[]
}

export interface RowScorerOptions {
  readonly model: LoadedModel
  readonly objective: Objective
  /** CIDR; none = the private ranges. */
  readonly localNetworks: readonly string[]
  /** Scores in place of the kernels; reasons are still theirs. */
  readonly accelerated?: AcceleratedModel
}

export class RowScorer {
  readonly layout: RowLayout
  /** Of the columns that have names; a mean of links would be the link of nobody. */
  readonly usual: UsualRow
  readonly recent: RecentInteractions
  private readonly model: LoadedModel
  private readonly objective: Objective
  private readonly rows: FeatureStream
  private readonly accelerated: AcceleratedModel | undefined
  private batch: Float32Array
  private pending: Judged[] = []
  /** Full batches that the accelerator has not been asked about; as many as the reader gives before it waits. */
  private waiting: Batch[] = []
  private usualSeen = 0

  /** @throws wrong-shape if this version makes no rows for the model; config-invalid for a malformed network */
  constructor({ model, objective, localNetworks, accelerated }: RowScorerOptions) {
    this.model = model
    this.accelerated = accelerated
    this.objective = objective
    this.layout = rowLayout(model.spec)
    this.rows = createRowSource(model.spec, localNetworks)
    this.batch = new Float32Array(BATCH_ROWS * this.layout.width)
    this.usual = new UsualRow(this.layout.names.length)
    this.recent = new RecentInteractions(Math.max(RECENT, this.layout.links.length / 2))
  }

  /** By the kernels, whatever else scores. */
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
    if (this.pending.length < BATCH_ROWS) return
    if (this.accelerated === undefined) this.flush(judge)
    else this.setAside()
  }

  /** Has everything judged that was pushed. @throws not-finite if the model gives no number */
  async settle(judge: Judge): Promise<void> {
    const { accelerated, objective } = this
    if (accelerated === undefined) return this.flush(judge)
    if (this.pending.length > 0) this.setAside()
    const batches = this.waiting
    this.waiting = []
    for (const { rows, of } of batches) this.judge(rows, of, await accelerated.score(rows, of.length, objective), judge)
  }

  private flush(judge: Judge): void {
    const { pending, batch } = this
    if (pending.length === 0) return
    this.judge(batch, pending, this.score(batch, pending.length), judge)
    pending.length = 0
  }

  private setAside(): void {
    this.waiting.push({ rows: this.batch, of: this.pending })
    this.batch = new Float32Array(this.batch.length)
    this.pending = []
  }

  private judge(batch: Float32Array, pending: readonly Judged[], scores: Float32Array, judge: Judge): void {
    const { width } = this.layout
    for (let i = 0; i < pending.length; i++) {
      const judged = pending[i] as Judged
      const score = scores[i] as number
      if (!Number.isFinite(score)) fail('not-finite', 'a score is not a number: the model is damaged')
      const verdict = judge(judged, score, batch, i * width)
      if (verdict === 'usual' && this.usualSeen++ % USUAL_STRIDE === 0) this.usual.add(batch, i * width)
      this.recent.push(judged.interaction)
    }
  }
}
