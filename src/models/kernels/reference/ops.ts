/**
 * Every operator of the kernels as a function of arrays. Two implementations: float64 in TypeScript, plain and slow, and
 * the float32 kernels. One suite of tests runs on both, and gradients of whole models are checked on the first.
 *
 * Matrices are row-major; the number of columns is the length of a parameter vector, or said. Nothing is changed in place.
 */

export type Vector = Float64Array

/** C[m][n] = A B with A[i][p] at i aRow + p aColumn, B[p][j] at p bRow + j bColumn. */
export interface Product {
  readonly m: number
  readonly n: number
  readonly k: number
  readonly aRow: number
  readonly aColumn: number
  readonly bRow: number
  readonly bColumn: number
}

/** Segment s owns indices[pointers[s] .. pointers[s + 1]]. */
export interface Csr {
  readonly pointers: Uint32Array
  readonly indices: Uint32Array
}

export interface DenseOps {
  /** The product, plus `add` if given. */
  gemm(a: Vector, b: Vector, product: Product, add?: Vector): Vector
  biasRelu(x: Vector, bias: Vector, relu: boolean): Vector
  reluBackward(g: Vector, h: Vector): Vector
  columnSums(x: Vector, columns: number): Vector
  transpose(x: Vector, batches: number, rows: number, columns: number): Vector
}

export interface ActivationOps {
  gelu(x: Vector): Vector
  geluBackward(g: Vector, x: Vector): Vector
  tanh(x: Vector): Vector
  tanhBackward(g: Vector, y: Vector): Vector
  sigmoid(x: Vector): Vector
  sigmoidBackward(g: Vector, y: Vector): Vector
}

export interface ArithmeticOps {
  /** a x + y */
  axpy(a: number, x: Vector, y: Vector): Vector
  scale(a: number, x: Vector): Vector
  add(x: Vector, y: Vector): Vector
  multiply(x: Vector, y: Vector): Vector
  timeEncoding(age: Vector, omega: Vector): Vector
  squaredNorm(x: Vector): number
  squaredDistance(x: Vector, y: Vector): number
  /** x, shortened to `normMax` where its L2 norm is above; and that norm. */
  clipNorm(x: Vector, normMax: number): { readonly out: Vector; readonly norm: number }
}

export interface NormalisationOps {
  layerNorm(x: Vector, gain: Vector, bias: Vector, epsilon: number): { readonly out: Vector; readonly stats: Vector }
  layerNormBackward(
    g: Vector,
    x: Vector,
    gain: Vector,
    stats: Vector,
  ): { readonly x: Vector; readonly gain: Vector; readonly bias: Vector }
  softmax(x: Vector, columns: number): Vector
  softmaxBackward(g: Vector, y: Vector, columns: number): Vector
}

export interface GraphOps {
  segmentSum(x: Vector, csr: Csr, columns: number): Vector
  segmentMean(x: Vector, csr: Csr, columns: number): Vector
  segmentWeightedSum(x: Vector, csr: Csr, weights: Vector, columns: number): Vector
  inverseCounts(csr: Csr): Vector
  transposeCsr(csr: Csr, rows: number): Csr
  gatherRows(x: Vector, indices: Uint32Array, columns: number): Vector
}

export interface RecurrentOps {
  gruCell(a: Vector, u: Vector, h: Vector, size: number): { readonly out: Vector; readonly gates: Vector }
  gruCellBackward(
    g: Vector,
    gates: Vector,
    u: Vector,
    h: Vector,
    size: number,
  ): { readonly a: Vector; readonly u: Vector; readonly h: Vector }
}

/** Adam with its two moments; `rate` and `scale` carry the corrections of bias (see assembly/optimiser.ts). */
export interface AdamStep {
  readonly p: Vector
  readonly m: Vector
  readonly v: Vector
  readonly g: Vector
  readonly rate: number
  readonly beta1: number
  readonly beta2: number
  readonly epsilon: number
  readonly scale: number
}

export interface LearningOps {
  logisticLoss(
    logits: Vector,
    labels: Uint8Array,
    weights: Vector,
    scale: number,
  ): { readonly loss: number; readonly gradient: Vector }
  adam(step: AdamStep): { readonly p: Vector; readonly m: Vector; readonly v: Vector }
  sgd(p: Vector, g: Vector, rate: number): Vector
  proximal(g: Vector, p: Vector, anchor: Vector, mu: number): Vector
}

export interface Ops
  extends DenseOps,
    ActivationOps,
    ArithmeticOps,
    NormalisationOps,
    GraphOps,
    RecurrentOps,
    LearningOps {
  readonly name: string
}
