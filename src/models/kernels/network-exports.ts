/** Kernels of neural networks, as kernels.wasm exports them: byte offsets, lengths in elements, row-major float32. */

export interface ActivationExports {
  /** The tanh form of GELU. `out` may be `x`. */
  gelu(x: number, out: number, n: number): void
  geluBackward(g: number, x: number, gx: number, n: number): void
  tanhOf(x: number, out: number, n: number): void
  /** `y` is what tanhOf wrote. */
  tanhBackward(g: number, y: number, gx: number, n: number): void
  sigmoidOf(x: number, out: number, n: number): void
  /** `y` is what sigmoidOf wrote. */
  sigmoidBackward(g: number, y: number, gx: number, n: number): void
}

export interface ArithmeticExports {
  /** y += a x */
  axpy(a: number, x: number, y: number, n: number): void
  /** x *= a */
  scale(a: number, x: number, n: number): void
  addOf(x: number, y: number, out: number, n: number): void
  multiplyOf(x: number, y: number, out: number, n: number): void
  /** out[b][c][r] = x[b][r][c] */
  transpose(x: number, out: number, batches: number, rows: number, columns: number): void
  /** out[r][i] = cos(age[r] omega[i]), within 2e-7 for products up to 1e9. */
  timeEncoding(age: number, omega: number, out: number, rows: number, d: number): void
}

export interface NormalisationExports {
  /** `stats` receives mean and 1/deviation of each row, in turn. `out` may be `x`. */
  layerNorm(
    x: number,
    gain: number,
    bias: number,
    out: number,
    stats: number,
    rows: number,
    columns: number,
    epsilon: number,
  ): void
  /** gx, gGain and gBias are overwritten; `gx` may be `g`, `x` is the input of the forward pass. */
  layerNormBackward(
    g: number,
    x: number,
    gain: number,
    stats: number,
    gx: number,
    gGain: number,
    gBias: number,
    rows: number,
    columns: number,
  ): void
  softmax(x: number, out: number, rows: number, columns: number): void
  softmaxBackward(g: number, y: number, gx: number, rows: number, columns: number): void
}

/** CSR with u32 entries: segment s owns indices[pointers[s] .. pointers[s + 1]]. An index is trusted: check it before. */
export interface SegmentExports {
  /** Its backward is itself, over the transposed CSR. */
  segmentSum(x: number, pointers: number, indices: number, out: number, segments: number, columns: number): void
  /** Its backward is segmentWeightedSum over the transposed CSR, weighed by inverseCounts of the forward pointers. */
  segmentMean(x: number, pointers: number, indices: number, out: number, segments: number, columns: number): void
  /** out[s] = sum of weights[index] x[index] */
  segmentWeightedSum(
    x: number,
    pointers: number,
    indices: number,
    weights: number,
    out: number,
    segments: number,
    columns: number,
  ): void
  /** weights[s] = 1 / entries of s, or 0 */
  inverseCounts(pointers: number, weights: number, segments: number): void
  transposeCsr(
    pointers: number,
    indices: number,
    segments: number,
    toPointers: number,
    toIndices: number,
    rows: number,
  ): void
  /** out[i] = x[indices[i]] */
  gatherRows(x: number, indices: number, out: number, rows: number, columns: number): void
}

export interface RecurrentExports {
  /** a, u, gates: [rows][3 size], order reset, update, new. */
  gruCell(a: number, u: number, h: number, out: number, gates: number, rows: number, size: number): void
  gruCellBackward(
    g: number,
    gates: number,
    u: number,
    h: number,
    ga: number,
    gu: number,
    gh: number,
    rows: number,
    size: number,
  ): void
}

export interface NetworkExports
  extends ActivationExports,
    ArithmeticExports,
    NormalisationExports,
    SegmentExports,
    RecurrentExports {}
