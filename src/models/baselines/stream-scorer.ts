/** A scorer without training: it sees the stream once, in order, and never a label. */
export interface StreamScorer {
  /**
   * Score of an interaction from what came before it, then learns it. `tick` is the number of the minute, never
   * decreasing; `source` and `destination` are host numbers; higher is worse.
   */
  score(tick: number, source: number, destination: number, flags: number): number
}
