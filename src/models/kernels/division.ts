/**
 * How a call of a kernel is divided among threads: into pieces whose size is fixed, whatever the number of threads. Pieces
 * of rows touch nothing in common. A product with a long sum is divided where gemm itself begins a new partial sum, distances
 * of pairs where their kernel does, and partial sums are added in their order. So the bits are those of the undivided call.
 */

import { addTables, addTiles, dividePairs, meanOfTile, pieceOfPairs, tileBytes } from './distance-pieces.ts'
import type { KernelExports } from './exports.ts'

/** Arguments of a kernel in the order of its signature. */
export type Arguments = readonly number[]

/** Kernels that can be divided, in an order that all threads share. */
export type Divisible = (typeof DIVISIBLE)[number]
export const DIVISIBLE = [
  'gemm',
  'biasRelu',
  'reluBackward',
  'gelu',
  'geluBackward',
  'tanhOf',
  'sigmoidOf',
  'layerNorm',
  'softmax',
  'softmaxBackward',
  'timeEncoding',
  'segmentSum',
  'segmentMean',
  'segmentWeightedSum',
  'adam',
  'sortedMean',
  'windowMean',
  'weightedSum',
  'pairDistances',
] as const satisfies readonly (keyof KernelExports)[]

/** A division of one call. Without partial sums, `partialBytes` is 0. */
export interface Division {
  readonly pieces: number
  readonly partialBytes: number
}

/** Where a piece may work: the number of its thread, counted from 0, its scratch, and the partial sums of the call. */
export interface Workplace {
  readonly thread: number
  readonly scratch: number
  readonly partials: number
}

/** A kernel that treats rows one by one: which argument counts them, which pointers move, by how many bytes a row. */
interface ByRows {
  readonly count: number
  readonly rowsPerPiece: number
  /** Which argument points to scratch memory, if one does. */
  readonly scratch?: number
  strides(of: Arguments): Readonly<Record<number, number>>
}

export const at = (of: Arguments, index: number): number => of[index] ?? 0

const ELEMENTS = 16_384
const vectors = (count: number, ...pointers: number[]): ByRows => ({
  count,
  rowsPerPiece: ELEMENTS,
  strides: () => Object.fromEntries(pointers.map((pointer) => [pointer, 4])),
})

const ROWS = 256
const matrices = (count: number, columns: number, ...pointers: number[]): ByRows => ({
  count,
  rowsPerPiece: ROWS,
  strides: (of) => Object.fromEntries(pointers.map((pointer) => [pointer, 4 * at(of, columns)])),
})

/** Segments: pointers move by one entry, the output by one row. */
const segments = (out: number, count: number, columns: number): ByRows => ({
  count,
  rowsPerPiece: ROWS,
  strides: (of) => ({ 1: 4, [out]: 4 * at(of, columns) }),
})

/** Coordinates of a block of updates, a multiple of the sixteen that are worked on together. */
const COLUMNS = 1024

const BY_ROWS: Readonly<Record<Exclude<Divisible, 'gemm' | 'pairDistances'>, ByRows>> = {
  biasRelu: matrices(2, 3, 0),
  reluBackward: vectors(2, 0, 1),
  gelu: vectors(2, 0, 1),
  geluBackward: vectors(3, 0, 1, 2),
  tanhOf: vectors(2, 0, 1),
  sigmoidOf: vectors(2, 0, 1),
  layerNorm: {
    count: 5,
    rowsPerPiece: ROWS,
    strides: (of) => ({ 0: 4 * at(of, 6), 3: 4 * at(of, 6), 4: 8 }),
  },
  softmax: matrices(2, 3, 0, 1),
  softmaxBackward: matrices(3, 4, 0, 1, 2),
  timeEncoding: { count: 3, rowsPerPiece: ROWS, strides: (of) => ({ 0: 4, 2: 4 * at(of, 4) }) },
  segmentSum: segments(3, 4, 5),
  segmentMean: segments(3, 4, 5),
  segmentWeightedSum: segments(4, 5, 6),
  adam: vectors(4, 0, 1, 2, 3),
  sortedMean: { count: 3, rowsPerPiece: COLUMNS, scratch: 8, strides: () => ({ 0: 4, 9: 4 }) },
  windowMean: { count: 3, rowsPerPiece: COLUMNS, scratch: 7, strides: () => ({ 0: 4, 8: 4 }) },
  weightedSum: { count: 3, rowsPerPiece: COLUMNS, scratch: 5, strides: () => ({ 0: 4, 6: 4 }) },
}

/** Of gemm: where its arguments are. */
const [A, A_ROW, A_COLUMN, B, B_ROW, C, M, N, K, ADD, SCRATCH] = [0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11]
/** Length of the partial sums of gemm itself: DEPTH_MAX of assembly/gemm.ts. */
const DEPTH = 512
/** Below, waking another thread takes longer than the work. */
export const PRODUCTS_MIN = 1 << 20

/** Undefined when the call is too small to be divided. */
export function divide(raw: KernelExports, kernel: number, of: Arguments, threads: number): Division | undefined {
  const name = DIVISIBLE[kernel]
  if (name === undefined) return undefined
  if (name === 'gemm') return divideProduct(of)
  if (name === 'pairDistances') return dividePairs(raw, of, threads)
  const { count, rowsPerPiece } = BY_ROWS[name]
  const pieces = Math.ceil(at(of, count) / rowsPerPiece)
  return pieces < 4 ? undefined : { pieces, partialBytes: name === 'sortedMean' ? pieces * tileBytes(of) : 0 }
}

function divideProduct(of: Arguments): Division | undefined {
  const [m, n, k] = [at(of, M), at(of, N), at(of, K)]
  if (m * n * k < PRODUCTS_MIN) return undefined
  if (m >= 2 * ROWS) return { pieces: Math.ceil(m / ROWS), partialBytes: 0 }
  const pieces = Math.ceil(k / DEPTH)
  // A single column sums in another way, without partial sums.
  return n === 1 || pieces < 2 ? undefined : { pieces, partialBytes: 4 * m * n * (pieces - 1) }
}

const isByDepth = (of: Arguments): boolean => at(of, M) < 2 * ROWS

/** Does one piece of a call that {@link divide} has divided. */
export function runPiece(raw: KernelExports, kernel: number, of: Arguments, piece: number, place: Workplace): void {
  const name = DIVISIBLE[kernel]
  if (name === undefined) return
  if (name === 'gemm') call(raw, name, pieceOfProduct(of, piece, place))
  else if (name === 'pairDistances') pieceOfPairs(raw, of, piece, place)
  else if (name === 'sortedMean') pieceOfMean(raw, of, piece, place)
  else call(raw, name, rowsOf(BY_ROWS[name], of, piece, place))
}

function call(raw: KernelExports, name: Divisible, of: Arguments): void {
  const kernel = raw[name] as (...values: number[]) => unknown
  kernel(...of)
}

function rowsOf(
  { count, rowsPerPiece, scratch, strides }: ByRows,
  of: Arguments,
  piece: number,
  place: Workplace,
): Arguments {
  const from = piece * rowsPerPiece
  const moved = of.slice()
  for (const [index, bytes] of Object.entries(strides(of))) moved[Number(index)] = at(of, Number(index)) + from * bytes
  moved[count] = Math.min(rowsPerPiece, at(of, count) - from)
  if (scratch !== undefined) moved[scratch] = place.scratch
  return moved
}

function pieceOfMean(raw: KernelExports, of: Arguments, piece: number, place: Workplace): void {
  meanOfTile(raw, rowsOf(BY_ROWS.sortedMean, of, piece, place), place.partials + piece * tileBytes(of))
}

function pieceOfProduct(of: Arguments, piece: number, { scratch, partials }: Workplace): Arguments {
  const moved = of.slice()
  moved[SCRATCH] = scratch
  const from = piece * (isByDepth(of) ? DEPTH : ROWS)
  if (isByDepth(of)) {
    moved[A] = at(of, A) + 4 * from * at(of, A_COLUMN)
    moved[B] = at(of, B) + 4 * from * at(of, B_ROW)
    moved[K] = Math.min(DEPTH, at(of, K) - from)
    // The first piece goes to C itself; the others wait until it is there.
    if (piece > 0) {
      moved[C] = partials + 4 * (piece - 1) * at(of, M) * at(of, N)
      moved[ADD] = 0
    }
  } else {
    moved[A] = at(of, A) + 4 * from * at(of, A_ROW)
    moved[C] = at(of, C) + 4 * from * at(of, N)
    moved[M] = Math.min(ROWS, at(of, M) - from)
  }
  return moved
}

/** Adds the partial sums in their order, when all pieces are done. */
export function finish(
  raw: KernelExports,
  kernel: number,
  of: Arguments,
  { pieces, partialBytes }: Division,
  partials: number,
): void {
  if (partialBytes === 0) return
  const name = DIVISIBLE[kernel]
  if (name === 'pairDistances') return addTables(raw, of, pieces, partials)
  if (name === 'sortedMean') return addTiles(raw, of, pieces, partials)
  const size = at(of, M) * at(of, N)
  for (let piece = 1; piece < pieces; piece++) raw.addOf(at(of, C), partials + 4 * (piece - 1) * size, at(of, C), size)
}
