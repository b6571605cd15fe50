/**
 * Scoring by something faster than the kernels, where an organisation has it and asks for it. Its results are near those of
 * the kernels and not the same bits, so nothing that organisations must agree on may come from it: training, aggregation and
 * the figures of a round stay with the kernels.
 */

import type { Objective, ThreatModelSpec } from './model.ts'

export interface AcceleratedModel {
  /**
   * Logit of each row, within 1e-4 of `Model.score`; the rows are read before it returns.
   * @throws wrong-shape; model-invalid for `link` of a model that predicts no links
   */
  score(features: Float32Array, rows: number, objective?: Objective): Promise<Float32Array>
  close(): Promise<void>
}

export interface Accelerator {
  readonly name: string
  /** @throws model-invalid when it cannot run that model */
  load(spec: ThreatModelSpec, parameters: Float32Array): Promise<AcceleratedModel>
}
