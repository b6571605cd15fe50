/** Exponentially decayed counts over 1 min, 10 min, 1 h and 1 day, four numbers each, some over a week: windows without queues. */

export const MINUTE = 60
export const HOUR = 3600
export const DAY = 86_400
export const WEEK = 7 * DAY

/** exp(-gap / window) for the four windows and a week; reused, so that a row allocates nothing. */
export class Decay {
  m1 = 1
  m10 = 1
  h1 = 1
  d1 = 1
  w1 = 1

  set(gap: number): void {
    if (gap === 0) {
      this.m1 = this.m10 = this.h1 = this.d1 = this.w1 = 1
      return
    }
    // Powers of one another, since exponentials are what a row spends its time on: 6 * 10 min = 1 h, 7 days = 1 week.
    this.h1 = Math.exp(-gap / HOUR)
    this.w1 = Math.exp(-gap / WEEK)
    const cube = this.h1 * this.h1 * this.h1
    this.m10 = cube * cube
    const square = this.m10 * this.m10
    const eighth = square * square * square * square
    this.m1 = eighth * square
    const week3 = this.w1 * this.w1 * this.w1
    this.d1 = week3 * week3 * this.w1
  }

  /** Ages four consecutive counts of `values` from `at`. */
  age(values: Float64Array, at: number): void {
    values[at] = (values[at] as number) * this.m1
    values[at + 1] = (values[at + 1] as number) * this.m10
    values[at + 2] = (values[at + 2] as number) * this.h1
    values[at + 3] = (values[at + 3] as number) * this.d1
  }
}

/**
 * Adds one contact to four windows of distinct partners: a partner last met `gap` ago is still counted in a window with
 * weight exp(-gap / window), so only the rest is added. `decay` holds those weights; a new partner counts whole.
 */
export function addDistinct(values: Float64Array, at: number, decay: Decay, known: boolean): void {
  values[at] = (values[at] as number) + (known ? 1 - decay.m1 : 1)
  values[at + 1] = (values[at + 1] as number) + (known ? 1 - decay.m10 : 1)
  values[at + 2] = (values[at + 2] as number) + (known ? 1 - decay.h1 : 1)
  values[at + 3] = (values[at + 3] as number) + (known ? 1 - decay.d1 : 1)
}

export function addOne(values: Float64Array, at: number): void {
  for (let k = at; k < at + 4; k++) values[k] = (values[k] as number) + 1
}

/** Seconds of history that a decayed count of this window holds when the log is `age` seconds long. */
export function coveredSeconds(window: number, age: number): number {
  return window * (1 - Math.exp(-age / window))
}
