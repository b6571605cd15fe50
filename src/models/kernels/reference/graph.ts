/** Reductions over neighbourhoods in float64. */

import type { Csr, GraphOps, Vector } from './ops.ts'
import { at, build } from './vectors.ts'

const segmentCount = ({ pointers }: Csr): number => pointers.length - 1
const members = ({ pointers, indices }: Csr, s: number): Uint32Array => indices.subarray(pointers[s], pointers[s + 1])

/** out[s][c] = sum over the members i of s of weight(i, size of s) x[i][c]. */
function reduce(x: Vector, csr: Csr, columns: number, weight: (i: number, size: number) => number): Vector {
  const out = new Float64Array(segmentCount(csr) * columns)
  for (let s = 0; s < segmentCount(csr); s++) {
    const list = members(csr, s)
    for (const i of list)
      for (let c = 0; c < columns; c++) {
        const to = s * columns + c
        out[to] = at(out, to) + weight(i, list.length) * at(x, i * columns + c)
      }
  }
  return out
}

export const graph: GraphOps = {
  segmentSum: (x, csr, columns) => reduce(x, csr, columns, () => 1),
  segmentMean: (x, csr, columns) => reduce(x, csr, columns, (_, size) => 1 / size),
  segmentWeightedSum: (x, csr, weights, columns) => reduce(x, csr, columns, (i) => at(weights, i)),
  inverseCounts: (csr) =>
    build(segmentCount(csr), (s) => (members(csr, s).length === 0 ? 0 : 1 / members(csr, s).length)),
  transposeCsr(csr, rows) {
    const lists: number[][] = Array.from({ length: rows }, () => [])
    for (let s = 0; s < segmentCount(csr); s++) for (const i of members(csr, s)) lists[i]?.push(s)
    const pointers = new Uint32Array(rows + 1)
    lists.forEach((list, i) => (pointers[i + 1] = at(pointers, i) + list.length))
    return { pointers, indices: Uint32Array.from(lists.flat()) }
  },
  gatherRows: (x, indices, columns) =>
    build(indices.length * columns, (i) => at(x, at(indices, Math.floor(i / columns)) * columns + (i % columns))),
}
