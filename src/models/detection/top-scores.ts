/**
 * The largest scores of a stream, exactly and in bounded memory: as many as a budget of alerts can ever ask for. Whatever
 * was dropped has `guaranteed` scores above or beside it, so it cannot be among the first `guaranteed`.
 */

import { fail } from '../../base/errors.ts'

const CAPACITY = 1 << 20

export class TopScores {
  private readonly kept: Float32Array
  private held = 0
  private dropped = 0
  private floor = Number.NEGATIVE_INFINITY

  /** @param capacity scores held; a half of them is guaranteed */
  constructor(capacity: number = CAPACITY) {
    this.kept = new Float32Array(Math.max(2, capacity))
  }

  /** Scores seen. */
  get count(): number {
    return this.held + this.dropped
  }

  /** Ranks below this are exact whatever was dropped. */
  get guaranteed(): number {
    return this.dropped === 0 ? this.held : this.kept.length >> 1
  }

  /** @throws not-finite for NaN, which has no rank */
  add(score: number): void {
    if (Number.isNaN(score)) fail('not-finite', 'a score is not a number: the model is damaged')
    if (this.dropped > 0 && score <= this.floor) {
      this.dropped++
      return
    }
    if (this.held === this.kept.length) this.compact()
    this.kept[this.held++] = score
  }

  private compact(): void {
    this.kept.sort()
    const half = this.kept.length >> 1
    this.kept.copyWithin(0, this.held - half, this.held)
    this.dropped += this.held - half
    this.held = half
    this.floor = this.kept[0] as number
  }

  /**
   * The score of this rank, 0 = the largest; undefined if there were fewer scores.
   * @throws invalid-request for a rank beyond what is guaranteed
   */
  rank(rank: number): number | undefined {
    if (rank >= this.count) return undefined
    if (rank >= this.guaranteed) fail('invalid-request', `only the ${this.guaranteed} largest scores are kept`)
    const sorted = this.kept.subarray(0, this.held).sort()
    return sorted[this.held - 1 - rank]
  }
}
