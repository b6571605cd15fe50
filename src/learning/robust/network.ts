/**
 * Sorting networks: comparators that put any column in order whatever it holds, so that a thousand columns go through them
 * side by side. Merge exchange, Knuth, The Art of Computer Programming 3, section 5.2.2, Algorithm M.
 */

export interface Network {
  readonly size: number
  /** First and second wire of each comparator; the smaller value goes to the first, which is the upper wire. */
  readonly pairs: Uint32Array<ArrayBuffer>
}

/** A network that sorts `size` values completely. */
export function sortingNetwork(size: number): Network {
  const pairs: number[] = []
  const top = 2 ** Math.max(0, Math.ceil(Math.log2(size)) - 1)
  for (let p = top; p >= 1; p /= 2) {
    let [q, r, d] = [top, 0, p]
    for (;;) {
      for (let i = 0; i + d < size; i++) if ((i & p) === r) pairs.push(i, i + d)
      if (q === p) break
      d = q - p
      q /= 2
      r = p
    }
  }
  return { size, pairs: Uint32Array.from(pairs) }
}

/**
 * A network that decides which values end on the wires from..to-1, in whatever order among themselves: enough for their mean.
 */
export function selectingNetwork(size: number, from: number, to: number): Network {
  const half = size >> 1
  const fewLeftOut = from + (size - to) <= half
  return { size, pairs: needed(size, from, to, fewLeftOut ? byHalves(size, from, to) : sortingNetwork(size).pairs) }
}

/**
 * Of two sorted halves P and Q: the k least of both are the lesser ones of P[i] and Q[k - 1 - i], and so from the other end. The
 * wires that both ends touch must not overlap.
 */
function byHalves(size: number, from: number, to: number): Uint32Array {
  const [half, above] = [size >> 1, size - to]
  const lower = sortingNetwork(half).pairs
  const upper = sortingNetwork(size - half).pairs.map((wire) => half + wire)
  const least = Array.from({ length: from }, (_, i) => [i, half + from - 1 - i])
  const greatest = Array.from({ length: above }, (_, i) => [half - above + i, size - 1 - i])
  return Uint32Array.from([...lower, ...upper, ...least.flat(), ...greatest.flat()])
}

/**
 * Read from the end, a comparator is left out when neither of its wires is asked for, or when both go straight into the mean.
 */
function needed(size: number, from: number, to: number, all: Uint32Array): Uint32Array<ArrayBuffer> {
  const wanted = (wire: number): boolean => wire >= from && wire < to
  const asked = Array.from({ length: size }, (_, wire) => wanted(wire))
  const summed = [...asked]
  const kept: number[] = []
  for (let at = all.length - 2; at >= 0; at -= 2) {
    const [first, second] = [all[at] ?? 0, all[at + 1] ?? 0]
    if (!(asked[first] || asked[second]) || (summed[first] && summed[second])) continue
    kept.push(second, first)
    for (const wire of [first, second]) {
      asked[wire] = true
      summed[wire] = false
    }
  }
  return Uint32Array.from(kept.reverse())
}
