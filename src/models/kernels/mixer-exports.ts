/** Kernels of the link encoder, as kernels.wasm exports them; see assembly/mixer.ts. An item is one end with K links. */

export interface MixerExports {
  /** Time encoding and fields of each link, zeros and mask 0 where there is none. */
  linkTokens(
    x: number,
    stride: number,
    tokens: number,
    fields: number,
    omega: number,
    dimensions: number,
    out: number,
    mask: number,
    rows: number,
  ): void
  /** x[r] += bias, or zero where mask[r] is 0; columns are a multiple of 4. */
  maskedBias(x: number, bias: number, mask: number, rows: number, columns: number): void
  maskRows(x: number, mask: number, rows: number, columns: number): void
  tokenMix(
    x: number,
    residual: number,
    w0: number,
    b0: number,
    w1: number,
    b1: number,
    hidden: number,
    out: number,
    items: number,
    links: number,
    hiddenWidth: number,
    columns: number,
  ): void
  tokenMixBackward(
    g: number,
    x: number,
    hidden: number,
    w0: number,
    w1: number,
    gx: number,
    gw0: number,
    gb0: number,
    gw1: number,
    gb1: number,
    scratch: number,
    items: number,
    links: number,
    hiddenWidth: number,
    columns: number,
  ): void
  /** Mean of the links of each item, without their first `skip` columns; two items share a row of `stride`. */
  maskedMean(
    x: number,
    mask: number,
    out: number,
    stride: number,
    items: number,
    links: number,
    columns: number,
    skip: number,
  ): void
  maskedMeanBackward(
    g: number,
    mask: number,
    gx: number,
    stride: number,
    items: number,
    links: number,
    columns: number,
  ): void
  copyColumns(x: number, xStride: number, out: number, outStride: number, rows: number, columns: number): void
}
