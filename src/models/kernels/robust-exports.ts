/** Kernels over the rows of a block: assembly/robust.ts. `stride` is in bytes, `pairs` holds byte offsets of comparators. */
export interface RobustExports {
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
  pairDistances(x: number, stride: number, n: number, count: number, out: number, part: number, parts: number): void
  rowDistances(x: number, stride: number, n: number, y: number, count: number, out: number): void
}
