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
 * The part of a network that decides which values end on the wires from..to-1, in whatever order among themselves: enough
 * for their mean. Read from the end, a comparator is left out when neither of its wires is asked for, or when both go
 * straight into the mean.
 */
export function selectingNetwork(size: number, from: number, to: number): Network {
  const all = sortingNetwork(size).pairs
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
  return { size, pairs: Uint32Array.from(kept.reverse()) }
}
