import { expect, it } from 'vitest'
import { createSlots, SLOT_BYTES } from './slots.ts'

it('gives slots again that were given back, each to one user at a time', () => {
  const slots = createSlots(2)
  const [first, second] = [slots.take(1), slots.take(1)]
  expect(first[0]?.input).not.toBe(second[0]?.input)
  slots.giveBack([...first, ...second])
  const again = slots.take(3)
  expect(new Set(again.map(({ input }) => input)).size).toBe(3)
  expect(again).toEqual(expect.arrayContaining([...first, ...second]))
  for (const { input, output } of again) {
    expect(output).toBe(input)
    expect(input.byteLength).toBe(SLOT_BYTES)
  }
})

it('keeps no more than it may, and none for the calling thread', () => {
  for (const most of [0, 1]) {
    const slots = createSlots(most)
    const taken = slots.take(3)
    slots.giveBack(taken)
    slots.giveBack([])
    const kept = slots.take(3).filter((slot) => taken.includes(slot))
    expect(kept.length).toBe(most)
  }
})
