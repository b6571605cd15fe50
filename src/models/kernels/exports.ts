/** What kernels.wasm exports. Pointers are byte offsets into its memory; lengths count elements. See assembly/*.ts. */

import type { MixerExports } from './mixer-exports.ts'
import type { NetworkExports } from './network-exports.ts'
import type { RobustExports } from './robust-exports.ts'

export interface KernelExports extends NetworkExports, MixerExports, RobustExports {
  accumulate(sum: number, x: number, n: number, weight: number): number
  accumulate4(
    sum: number,
    x0: number,
    x1: number,
    x2: number,
    x3: number,
    n: number,
    w0: number,
    w1: number,
    w2: number,
    w3: number,
  ): number
  mean(sum: number, out: number, n: number, total: number): void
  finite(x: number, n: number): number
  squaredNorm(x: number, n: number): number
  squaredDistance(x: number, y: number, n: number): number
  /** Shortens x to `normMax`; returns the norm that it had. */
  clipNorm(x: number, n: number, normMax: number): number
  gemm(
    a: number,
    aRow: number,
    aColumn: number,
    b: number,
    bRow: number,
    bColumn: number,
    c: number,
    m: number,
    n: number,
    k: number,
    add: number,
    scratch: number,
  ): void
  /** sum[i] += trunc(x[i] * factor) as 32-bit integers. */
  addSteps(sum: number, x: number, n: number, factor: number): void
  biasRelu(x: number, bias: number, rows: number, columns: number, relu: number): void
  reluBackward(g: number, h: number, n: number): void
  columnSums(x: number, out: number, rows: number, columns: number): void
  logisticLoss(logits: number, labels: number, weights: number, gradient: number, n: number, scale: number): number
  expOf(x: number): number
  softplusOf(x: number): number
  adam(
    p: number,
    g: number,
    m: number,
    v: number,
    n: number,
    rate: number,
    beta1: number,
    beta2: number,
    epsilon: number,
    scale: number,
  ): void
  sgd(p: number, g: number, n: number, rate: number): void
  proximal(g: number, p: number, anchor: number, n: number, mu: number): void
  readonly SCRATCH_BYTES: { readonly value: number }
  readonly MEMORY_BASE: { readonly value: number }
}

/** The part of the WebAssembly API that is used here: pure rooms are compiled without the DOM's declarations. */
export interface WebAssemblyApi {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Memory: new (descriptor: {
    initial: number
    maximum?: number
  }) => { readonly buffer: ArrayBuffer; grow(pages: number): number }
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown }
}
