import { describe, expect, it } from 'vitest'
import { chunkSum } from '../../src/models/kernels/masking.ts'
import { loadKernels } from '../../src/node/kernels.ts'
import { plainArithmetic } from '../../src/privacy/masking/arithmetic.ts'
import { seededBytes } from '../../src/privacy/masking/keystream.ts'
import { addVectors, applyMasks, type Mask } from '../../src/privacy/masking/mask.ts'

describe.each([32, 64] as const)('the kernels of masked sums mod 2^%i', (width) => {
  it('give the bits of the plain loops, for whole chunks and for rests', () => {
    const random = seededBytes(new Uint8Array(32).fill(width), 'kernels')
    const kernels = loadKernels()
    const fast = chunkSum(kernels, width)
    const masks: Mask[] = [1, -1, -1, 1, 1].map((sign) => ({ seed: random(16), sign: sign === 1 ? 1 : -1 }))
    for (const elements of [0, 1, 2, 3, 5, 8, 13, 16_384, 16_385, 40_003]) {
      const one = random((elements * width) / 8)
      const two = one.slice()
      applyMasks(one, masks, fast)
      applyMasks(two, masks, plainArithmetic(width))
      addVectors(one, [two, two], fast)
      addVectors(two, [two.slice(), two.slice()], plainArithmetic(width))
      expect(Buffer.compare(one, two)).toBe(0)
    }
    // The memory grows, which detaches views into it.
    kernels.arena.allocate(1 << 24)
    const words = new Uint8Array(64)
    applyMasks(words, masks.slice(0, 1), fast)
    expect(words.some((byte) => byte !== 0)).toBe(true)
  })
})
