/** The time before which a share of the rows lies, from a bounded sample of their times. */

const SAMPLE_MAX = 1 << 21

export interface TimeSample {
  add(time: number): void
  /** Smallest sampled time such that `share` of the rows lie before it; 0 without rows. */
  quantile(share: number): number
}

/** Keeps every time, and once there are too many every second, every fourth ...: evenly over the capture. */
export function timeSample(): TimeSample {
  let times: number[] = []
  let stride = 1
  let seen = 0
  return {
    add(time) {
      if (seen++ % stride !== 0) return
      times.push(time)
      if (times.length < SAMPLE_MAX) return
      times = times.filter((_, i) => i % 2 === 0)
      stride *= 2
    },
    quantile(share) {
      const sorted = Float64Array.from(times).sort()
      return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
    },
  }
}
