import { describe, expect, it } from 'vitest'
import { createScheduler, EPOCH_MS } from './scheduler.ts'

async function history(seed: string): Promise<{ order: number[]; hash: string }> {
  const scheduler = createScheduler(seed)
  const order: number[] = []
  async function task(i: number): Promise<void> {
    await scheduler.sleep(scheduler.random.below(50))
    await Promise.resolve()
    order.push(scheduler.now() - EPOCH_MS)
    scheduler.trace(`task ${i}`, String(scheduler.random.u32()))
  }
  for (let i = 0; i < 200; i++) {
    void task(i)
  }
  await scheduler.run()
  return { order, hash: scheduler.traceHash() }
}

describe('virtual time', () => {
  it('runs what is due in the order of time', async () => {
    const { order } = await history('a')
    expect(order).toEqual(order.toSorted((a, b) => a - b))
    expect(order).toHaveLength(200)
  })

  it('repeats a history bit for bit from its seed, and only from its seed', async () => {
    expect((await history('a')).hash).toBe((await history('a')).hash)
    expect((await history('a')).hash).not.toBe((await history('b')).hash)
  })

  it('stops at a deadline and goes on from there', async () => {
    const scheduler = createScheduler('deadline')
    const seen: number[] = []
    for (const delay of [10, 20, 30]) scheduler.after(delay, () => void seen.push(delay))
    await scheduler.run({ until: EPOCH_MS + 20 })
    expect(seen).toEqual([10, 20])
    await scheduler.run({ done: () => seen.length === 3 })
    expect(seen).toEqual([10, 20, 30])
  })
})
