/**
 * Where threads find the pieces of a call: a few words of shared memory.
 *
 * Invariants: 1. a call is written only while no piece of the one before is unfinished. 2. A ticket holds the low half of
 * the number of its call, so a thread that slept cannot take a piece of a later call by mistake; holding a piece, it compares
 * the whole number and reads the call again if it was the wrong one. 3. A piece that fails counts as done, and the call throws.
 * 4. When a thread has died, the call under way throws, and so does every later one: nobody waits for its piece.
 */

import { fail } from '../base/errors.ts'
import { type Arguments, runPiece } from '../models/kernels/division.ts'
import type { KernelExports } from '../models/kernels/exports.ts'
import type { Crew, CrewBeside } from '../models/kernels/run-kernel.ts'

export interface ThreadData {
  readonly module: object
  readonly memory: object
  readonly board: SharedArrayBuffer
  /** Counted from 1: the caller's is 0. */
  readonly thread: number
  readonly scratch: number
}

/** A thread, with its kernels and where it works. */
export interface Hand extends Pick<ThreadData, 'thread' | 'scratch'> {
  readonly raw: KernelExports
}

/** Words of the board. A ticket is (number of the call mod 2^16) * 2^16 + the next piece. */
const [CALL, TICKET, DONE, PIECES, KERNEL, COUNT, FAILED, DEAD] = [0, 1, 2, 3, 4, 5, 6, 7]
const WORDS = 8
const ARGUMENTS_MAX = 16
const PIECES_MAX = 65_535
/** Turns before a thread goes to sleep: about 50 microseconds. */
const SPINS = 20_000
/** More than any call has pieces. */
const ALL_DONE = 2 ** 30

interface Board {
  readonly words: Int32Array<SharedArrayBuffer>
  /** Partial sums, then the arguments. */
  readonly values: Float64Array<SharedArrayBuffer>
}

interface Call {
  readonly number: number
  readonly kernel: number
  readonly pieces: number
  readonly partials: number
  readonly of: Arguments
}

function open(shared: SharedArrayBuffer): Board {
  return { words: new Int32Array(shared, 0, WORDS), values: new Float64Array(shared, 4 * WORDS) }
}

function readCall({ words, values }: Board): Call {
  const number = Atomics.load(words, CALL)
  const [kernel, pieces, count] = [Atomics.load(words, KERNEL), Atomics.load(words, PIECES), Atomics.load(words, COUNT)]
  return { number, kernel, pieces, partials: values[0] ?? 0, of: [...values.subarray(1, 1 + count)] }
}

/** The next piece of the call; undefined when there is none, or the call is over. */
function takePiece({ words }: Board, { number, pieces }: Call): number | undefined {
  for (;;) {
    const ticket = Atomics.load(words, TICKET)
    const piece = ticket & 0xffff
    if (ticket >>> 16 !== (number & 0xffff) || piece >= pieces) return undefined
    if (Atomics.compareExchange(words, TICKET, ticket, ticket + 1) === ticket) return piece
  }
}

/** Does pieces until none is left. */
function doPieces(board: Board, first: Call, { raw, ...own }: Hand): void {
  const { words } = board
  let call = first
  for (let piece = takePiece(board, call); piece !== undefined; piece = takePiece(board, call)) {
    if (Atomics.load(words, CALL) !== call.number) call = readCall(board)
    try {
      runPiece(raw, call.kernel, call.of, piece, { ...own, partials: call.partials })
    } catch {
      Atomics.store(words, FAILED, 1)
    }
    if (Atomics.add(words, DONE, 1) + 1 === call.pieces) Atomics.notify(words, DONE)
  }
}

/** Sleeps until the word is no longer that value, after looking for a while. */
function waitWhile(words: Int32Array<SharedArrayBuffer>, word: number, value: number): void {
  for (let spin = 0; spin < SPINS; spin++) if (Atomics.load(words, word) !== value) return
  Atomics.wait(words, word, value)
}

/** What a thread does for the rest of its life. */
export function workAt(shared: SharedArrayBuffer, hand: Hand): never {
  const board = open(shared)
  for (let seen = 0; ; ) {
    waitWhile(board.words, CALL, seen)
    const call = readCall(board)
    seen = call.number
    doPieces(board, call, hand)
  }
}

export interface Caller {
  readonly shared: SharedArrayBuffer
  /** Writes calls down, takes its part of the pieces, and waits for the rest without turning to anything else. */
  crewOf(hand: Hand, threads: number): Crew
  /** The same, but while it waits, the thread does other things. */
  besideOf(hand: Hand, threads: number): CrewBeside
  /** A thread is no more: whoever waits for it wakes. Only a thread that waits without blocking can be told. */
  bury(): void
}

/** The board, and the crew of whoever calls. */
export function createBoard(): Caller {
  const shared = new SharedArrayBuffer(4 * WORDS + 8 * (1 + ARGUMENTS_MAX))
  const board = open(shared)
  const { words, values } = board

  function publish(kernel: number, of: Arguments, pieces: number, partials: number): Call {
    if (pieces > PIECES_MAX || of.length > ARGUMENTS_MAX)
      fail('internal', 'a call of a kernel does not fit on the board')
    requireAlive()
    // Nobody takes this piece: a thread that is late for the call before must find nothing, while the new one is written.
    Atomics.store(words, TICKET, (Atomics.load(words, CALL) << 16) | PIECES_MAX)
    values[0] = partials
    values.set(of, 1)
    Atomics.store(words, KERNEL, kernel)
    Atomics.store(words, COUNT, of.length)
    Atomics.store(words, PIECES, pieces)
    Atomics.store(words, DONE, 0)
    Atomics.store(words, FAILED, 0)
    const number = (Atomics.load(words, CALL) + 1) | 0
    Atomics.store(words, TICKET, (number & 0xffff) << 16)
    Atomics.store(words, CALL, number)
    Atomics.notify(words, CALL)
    return { number, kernel, pieces, partials, of }
  }

  function requireAlive(): void {
    if (Atomics.load(words, DEAD) !== 0) fail('unavailable', 'a thread of the kernels ended')
  }

  function requireDone(): void {
    requireAlive()
    if (Atomics.load(words, FAILED) !== 0) fail('internal', 'a kernel failed in one of its threads')
  }

  function crewOf(hand: Hand, threads: number): Crew {
    return {
      threads,
      run(kernel, of, pieces, partials) {
        doPieces(board, publish(kernel, of, pieces, partials), hand)
        for (let done = Atomics.load(words, DONE); done < pieces; done = Atomics.load(words, DONE))
          waitWhile(words, DONE, done)
        requireDone()
      },
    }
  }

  function besideOf(hand: Hand, threads: number): CrewBeside {
    return {
      threads,
      async run(kernel, of, pieces, partials) {
        const call = publish(kernel, of, pieces, partials)
        await undefined
        doPieces(board, call, hand)
        for (let done = Atomics.load(words, DONE); done < pieces; done = Atomics.load(words, DONE))
          await whileBeside(words, DONE, done)
        requireDone()
      },
    }
  }

  function bury(): void {
    Atomics.store(words, DEAD, 1)
    Atomics.store(words, DONE, ALL_DONE)
    Atomics.notify(words, DONE)
  }

  return { shared, crewOf, besideOf, bury }
}

/** Resolves when the word is no longer that value, after looking for a while: a piece takes less than a turn of the event loop. */
async function whileBeside(words: Int32Array<SharedArrayBuffer>, word: number, value: number): Promise<void> {
  for (let spin = 0; spin < SPINS; spin++) if (Atomics.load(words, word) !== value) return
  await Atomics.waitAsync(words, word, value).value
}
