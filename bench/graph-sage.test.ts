import { afterAll, expect, it } from 'vitest'
import { startKernelThreads } from '../src/node/kernel-threads.ts'
import { loadKernels } from '../src/node/kernels.ts'
import { createGraphSage } from './graph-sage.ts'

const two = startKernelThreads(2)
afterAll(() => two.close())

it('the step of GraphSAGE learns, and gives the same losses with two threads', () => {
  const size = { nodes: 3000, edges: 20_000, width: 32 }
  const [alone, together] = [loadKernels(), two.kernels].map((kernels) => {
    const sage = createGraphSage(kernels, size, 'threads')
    return Array.from({ length: 30 }, () => sage.step())
  })
  expect(together).toEqual(alone)
  expect(alone?.at(-1)).toBeLessThan(0.7 * (alone?.[0] ?? 0))
})
