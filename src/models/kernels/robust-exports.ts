/** Kernels over the rows of a block: assembly/robust.ts, distances.ts, aggregate.ts. `stride` is in bytes, `pairs` holds byte offsets of comparators. */
export interface RobustExports {
  /** `sums` 0: no distances; or n float64, rounded up to an even number. */
  sortedMean(
    x: number,
    stride: number,
    n: number,
    count: number,
    pairs: number,
    pairCount: number,
    from: number,
    to: number,
    block: number,
    out: number,
    sums: number,
  ): void
  /** The same for at most 1024 columns; distances are written, not added. */
  tileMean(
    x: number,
    stride: number,
    n: number,
    count: number,
    pairs: number,
    pairCount: number,
    from: number,
    to: number,
    block: number,
    out: number,
    tile: number,
  ): void
  windowMean(
    x: number,
    stride: number,
    n: number,
    count: number,
    pairs: number,
    pairCount: number,
    keep: number,
    block: number,
    out: number,
  ): void
  /** Adds to a table of `distancesLength(n)` float64; `table` is another, `work` has `distancesWork(n)` bytes. */
  pairDistances(x: number, stride: number, n: number, count: number, sums: number, table: number, work: number): void
  /** The same over at most 1024 coordinates, written and not added. */
  spanDistances(x: number, stride: number, n: number, count: number, table: number, work: number): void
  distancesLength(n: number): number
  distancesWork(n: number): number
  /** sums[i] += x[i] in float64. */
  addDoubles(sums: number, x: number, length: number): void
  weightedSum(x: number, stride: number, n: number, count: number, weights: number, sums: number, out: number): void
}
