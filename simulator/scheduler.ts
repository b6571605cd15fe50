/**
 * Virtual time. Everything that happens in a simulated federation happens because the scheduler lets it: one seeded
 * queue of actions, one after the other, each followed by all that it makes runnable. No clock and no timer of the
 * machine takes part, so a seed is a whole history.
 */

import { utf8 } from '../src/base/bytes.ts'
import { type Prng, prng } from '../src/base/prng.ts'
import { sha256Hex } from '../src/base/hash.ts'

export interface TraceLine {
  readonly at: number
  readonly who: string
  readonly what: string
}

export interface Scheduler {
  /** Virtual milliseconds since the Unix epoch, with fractions. */
  now(): number
  readonly random: Prng
  /** Runs `action` after a delay in virtual milliseconds. */
  after(delayMs: number, action: () => void): void
  /** Resolves after a delay. */
  sleep(delayMs: number): Promise<void>
  /** Lets virtual time pass until nothing is left to do, `done` holds, or the deadline is reached. */
  run(options?: { readonly until?: number; readonly done?: () => boolean }): Promise<void>
  /** Notes a step of the history. */
  trace(who: string, what: string): void
  readonly lines: readonly TraceLine[]
  /** SHA-256 of the history so far: equal for equal seeds. */
  traceHash(): string
}

interface Entry {
  readonly at: number
  readonly order: number
  readonly action: () => void
}

/** When the simulated history begins: 1 January 2026. */
export const EPOCH_MS = Date.UTC(2026, 0, 1)

/**
 * With `auto`, time passes by itself whenever something waits for it: for tests of single ports that have no history to
 * reproduce.
 */
export function createScheduler(seed: string, options: { readonly auto?: boolean } = {}): Scheduler {
  const random = prng(`simulator/${seed}`)
  const queue = createQueue()
  const lines: TraceLine[] = []
  let now = EPOCH_MS
  let order = 0
  let running = false

  function after(delayMs: number, action: () => void): void {
    queue.push({ at: now + Math.max(0, delayMs), order: order++, action })
    if (options.auto === true && !running) void run()
  }

  async function run({
    until = Number.POSITIVE_INFINITY,
    done = () => false,
  }: {
    until?: number
    done?: () => boolean
  } = {}): Promise<void> {
    running = true
    await settled()
    for (let next = queue.peek(); next !== undefined && next.at <= until && !done(); next = queue.peek()) {
      queue.pop()
      now = next.at
      next.action()
      await settled()
    }
    running = false
  }

  return {
    now: () => now,
    random,
    after,
    sleep: (delayMs) => new Promise((resolve) => after(delayMs, resolve)),
    run,
    trace: (who, what) => void lines.push({ at: now, who, what }),
    lines,
    traceHash: () => sha256Hex(utf8(lines.map(({ at, who, what }) => `${at} ${who} ${what}\n`).join(''))),
  }
}

/** Resolves when every promise that could go on has gone on: microtasks run out before the next turn of the event loop. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

function before(a: Entry, b: Entry): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order)
}

/** Binary heap, earliest first. */
function createQueue() {
  const heap: Entry[] = []
  const at = (i: number): Entry => heap[i] as Entry

  function swap(i: number, j: number): void {
    const held = at(i)
    heap[i] = at(j)
    heap[j] = held
  }

  function push(entry: Entry): void {
    heap.push(entry)
    for (let i = heap.length - 1; i > 0 && before(at(i), at((i - 1) >> 1)); i = (i - 1) >> 1) swap(i, (i - 1) >> 1)
  }

  function pop(): void {
    const last = heap.pop() as Entry
    if (heap.length === 0) return
    heap[0] = last
    for (let i = 0; ; ) {
      let least = i
      for (const child of [2 * i + 1, 2 * i + 2]) if (child < heap.length && before(at(child), at(least))) least = child
      if (least === i) return
      swap(i, least)
      i = least
    }
  }

  return { push, pop, peek: () => heap[0] }
}
