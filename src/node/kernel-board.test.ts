import { afterEach, expect, it, vi } from 'vitest'
import { createBoard } from './kernel-board.ts'

afterEach(() => void vi.restoreAllMocks())

const [TICKET, CALL] = [1, 0]
/** Kernels that do nothing: what counts is who may take which piece. */
const raw = new Proxy({}, { get: () => () => 0 }) as never
const BIAS_RELU = 1

it('gives no piece to a thread that is late for the call before while the next one is being written', () => {
  const board = createBoard()
  const words = new Int32Array(board.shared, 0, 8)
  const crew = board.crewOf({ raw, thread: 0, scratch: 0 }, 2)
  const store = Atomics.store.bind(Atomics) as (...of: unknown[]) => number
  const open: number[] = []
  vi.spyOn(Atomics, 'store').mockImplementation(((to: Int32Array, word: number, value: number) => {
    const written = store(to, word, value)
    // A late thread holds the number of the call before: until the ticket names another one, its piece must be the last of all.
    const isOld = Atomics.load(words, TICKET) >>> 16 === (Atomics.load(words, CALL) & 0xffff)
    if (to.buffer === board.shared && word !== CALL && isOld) open.push(Atomics.load(words, TICKET) & 0xffff)
    return written
  }) as never)
  crew.run(BIAS_RELU, [0, 0, 4, 4], 4, 0)
  crew.run(BIAS_RELU, [0, 0, 8, 4], 8, 0)
  expect(open.length).toBeGreaterThan(8)
  expect(new Set(open)).toEqual(new Set([0xffff]))
})
