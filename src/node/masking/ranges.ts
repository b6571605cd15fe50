/** Ranges of coordinates on their way: read in order, worked on beside each other, written in order. */

/** Coordinates [start, start + count). */
export interface Range {
  readonly start: number
  readonly count: number
}

/** Coordinates of 64 KiB: what one call of the cipher gives. */
const LEAST = 16_384
/** A keystream can begin at every fourth coordinate; by larger steps whole pages are read. */
const STEP = 1_024

/** Equal ranges of at most `countMax` or {@link LEAST}, as many as keep all threads busy to the end; the first is the longest. */
export function rangesOf(length: number, countMax: number, threads: number): Range[] {
  const fewest = Math.ceil(length / Math.max(countMax, LEAST))
  const wanted = Math.ceil(Math.max(fewest, 1) / threads) * threads
  const count = Math.max(STEP, Math.ceil(length / wanted / STEP) * STEP)
  return Array.from({ length: Math.ceil(length / count) }, (_, i) => ({
    start: i * count,
    count: Math.min(count, length - i * count),
  }))
}

export interface Turns<Slot, Result> {
  read(range: Range, slot: Slot): Promise<void>
  work(turn: number, range: Range, slot: Slot): Promise<Result>
  write(range: Range, slot: Slot, result: Result): Promise<void>
}

/** Each range takes one of the slots in turn, from its reading until it is written. Settled when nothing is read or written. */
export async function inTurns<Slot, Result>(
  ranges: readonly Range[],
  slots: readonly Slot[],
  { read, work, write }: Turns<Slot, Result>,
): Promise<void> {
  const busy = slots.map(() => Promise.resolve())
  let written = Promise.resolve()
  try {
    for (const [turn, range] of ranges.entries()) {
      const at = turn % slots.length
      const slot = slots[at] as Slot
      await busy[at]
      await read(range, slot)
      written = inOrder(written, work(turn, range, slot), (result) => write(range, slot, result))
      busy[at] = written
    }
  } finally {
    // Its failure is met above or below; until then it must not count as unhandled.
    await written.catch(() => undefined)
  }
  await written
}

/** Writes when what comes before was written; a failure of either is that of the whole. */
function inOrder<Result>(
  before: Promise<void>,
  working: Promise<Result>,
  write: (result: Result) => Promise<void>,
): Promise<void> {
  const done = Promise.all([before, working]).then(([, result]) => write(result))
  done.catch(() => undefined)
  return done
}
