/** Hosts of a graph are told apart by hashes of their names, so that a stream and a stored data set give the same bits. */

import { textHash } from '../features/slot-table.ts'

export interface HostKey {
  readonly first: number
  readonly second: number
  /** Both in one whole number from 1 to 2^52: equal for equal hosts, and for others with a chance of 2^-52. */
  readonly id: number
}

export function hostKey(name: string): HostKey {
  const first = textHash(name, 0x9e3779b9)
  const second = textHash(name, 0x51ed270b)
  return { first, second, id: first * 2 ** 20 + (second >>> 12) + 1 }
}
