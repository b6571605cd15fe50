/** Pieces of the kernels that sum distances over coordinates: each piece has sums of its own, which are added in their order. */

import { type Arguments, at, type Division, PRODUCTS_MIN, type Workplace } from './division.ts'
import type { KernelExports } from './exports.ts'

/** Of pairDistances: where its arguments are. */
const [ROWS, STRIDE, COUNT, LENGTH, SUMS] = [0, 1, 2, 3, 4]
/** Coordinates whose distances the kernel sums by themselves: SPAN of assembly/distances.ts. */
const SPAN = 1024

/** Each piece has its table; behind the tables each thread has where it works, so that this stays in its cache. */
export function dividePairs(raw: KernelExports, of: Arguments, threads: number): Division | undefined {
  const pieces = spans(of)
  if (pieces < 2 || at(of, COUNT) ** 2 * at(of, LENGTH) < PRODUCTS_MIN) return undefined
  return { pieces, partialBytes: pieces * tableBytes(raw, of) + threads * workBytes(raw, of) }
}

const lines = (bytes: number): number => 64 * Math.ceil(bytes / 64)
const spans = (of: Arguments): number => Math.ceil(at(of, LENGTH) / SPAN)
const tableBytes = (raw: KernelExports, of: Arguments): number => lines(8 * raw.distancesLength(at(of, COUNT)))
const workBytes = (raw: KernelExports, of: Arguments): number => lines(raw.distancesWork(at(of, COUNT)))

export function pieceOfPairs(raw: KernelExports, of: Arguments, piece: number, { partials, thread }: Workplace): void {
  const [x, length] = [at(of, ROWS) + 4 * SPAN * piece, Math.min(SPAN, at(of, LENGTH) - SPAN * piece)]
  const table = tableBytes(raw, of)
  const work = partials + spans(of) * table + thread * workBytes(raw, of)
  raw.spanDistances(x, at(of, STRIDE), at(of, COUNT), length, partials + piece * table, work)
}

export function addTables(raw: KernelExports, of: Arguments, pieces: number, partials: number): void {
  const [bytes, length] = [tableBytes(raw, of), raw.distancesLength(at(of, COUNT))]
  for (let piece = 0; piece < pieces; piece++) raw.addDoubles(at(of, SUMS), partials + piece * bytes, length)
}

/** Of sortedMean: where distances to its result are added, if they are asked for. */
const DISTANCES = 10

/** A float64 for each row, in pairs. */
export function tileBytes(of: Arguments): number {
  return at(of, DISTANCES) === 0 ? 0 : 16 * Math.ceil(at(of, COUNT) / 2)
}

/** @param of - of a piece already, but for the distances @param tile - where these go */
export function meanOfTile(raw: KernelExports, of: Arguments, tile: number): void {
  const kernel = raw.tileMean as (...values: number[]) => void
  kernel(...of.with(DISTANCES, tileBytes(of) === 0 ? 0 : tile))
}

export function addTiles(raw: KernelExports, of: Arguments, pieces: number, partials: number): void {
  const bytes = tileBytes(of)
  for (let piece = 0; piece < pieces; piece++) raw.addDoubles(at(of, DISTANCES), partials + piece * bytes, bytes / 8)
}
