import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { loadKernels } from '../../../test/kernels.ts'
import { prng } from '../../base/prng.ts'
import { instantiateKernels } from './kernels.ts'

const kernels = loadKernels()
const { raw, arena, scratch } = kernels

const floats = (length: number, seed: string): Float32Array<ArrayBuffer> => {
  const random = prng(seed)
  return Float32Array.from({ length }, () => random.uniform() * 2 - 1)
}

/** Runs with copies of the arrays in the memory of the kernels, and gives all of it back. */
function withArrays<T>(arrays: readonly Float32Array[], work: (...offsets: number[]) => T): T {
  const offsets = arrays.map((array) => arena.allocate(array.byteLength))
  arrays.forEach((array, i) => arena.float32(offsets[i] ?? 0, array.length).set(array))
  try {
    return work(...offsets)
  } finally {
    for (const offset of offsets) arena.release(offset)
  }
}

interface Product {
  readonly m: number
  readonly n: number
  readonly k: number
  readonly transposeA: boolean
  readonly transposeB: boolean
  readonly add: boolean
}

/** Largest difference between the kernel and a float64 product. */
function productError({ m, n, k, transposeA, transposeB, add }: Product): number {
  const [a, b, c] = [floats(m * k, 'a'), floats(k * n, 'b'), floats(m * n, 'c')]
  const [aRow, aColumn] = transposeA ? [1, m] : [k, 1]
  const [bRow, bColumn] = transposeB ? [1, k] : [n, 1]
  const got = withArrays([a, b, c], (pa = 0, pb = 0, pc = 0) => {
    raw.gemm(pa, aRow, aColumn, pb, bRow, bColumn, pc, m, n, k, add ? 1 : 0, scratch)
    return arena.float32(pc, m * n).slice()
  })
  let worst = 0
  for (let i = 0; i < m; i++)
    for (let j = 0; j < n; j++) {
      let sum = add ? (c[i * n + j] ?? 0) : 0
      for (let p = 0; p < k; p++) sum += (a[i * aRow + p * aColumn] ?? 0) * (b[p * bRow + j * bColumn] ?? 0)
      worst = Math.max(worst, Math.abs(sum - (got[i * n + j] ?? Number.NaN)))
    }
  return worst
}

describe('gemm', () => {
  const dimension = fc.integer({ min: 1, max: 21 })
  const shapes = { m: dimension, n: dimension, k: dimension }
  const flags = { transposeA: fc.boolean(), transposeB: fc.boolean(), add: fc.boolean() }

  it('equals the float64 product for any shape, transposed or not, written or added', () => {
    fc.assert(fc.property(fc.record({ ...shapes, ...flags }), (product) => productError(product) < 1e-5))
  })

  it('divides products that are larger than a block in each direction', () => {
    const sizes = [
      { m: 150, n: 41, k: 515 },
      { m: 1030, n: 9, k: 3 },
      { m: 6, n: 1030, k: 30 },
      { m: 5, n: 1, k: 1030 },
    ]
    for (const size of sizes)
      for (const transposeA of [false, true])
        for (const transposeB of [false, true])
          expect(productError({ ...size, transposeA, transposeB, add: true })).toBeLessThan(1e-4)
  })

  it('writes to its scratch and to C, and to nothing else', () => {
    const end = raw.SCRATCH_BYTES.value
    const own = loadKernels()
    const guard = own.arena.allocate(64)
    expect(guard - own.scratch).toBeGreaterThanOrEqual(end)
    own.arena.bytes(guard, 64).fill(0xab)
    const [a, b, c] = [4 * 70_000, 4 * 70_000, 4 * 70_000].map((bytes) => own.arena.allocate(bytes))
    for (const [m, n, k] of [
      [70_000, 1, 1],
      [35_000, 2, 2],
      [200, 300, 230],
      [60, 1000, 70],
      [64, 64, 1000],
    ] as const)
      own.raw.gemm(a ?? 0, 1, m, b ?? 0, 1, k, c ?? 0, m, n, k, 0, own.scratch)
    expect([...own.arena.bytes(guard, 64)]).toEqual(Array(64).fill(0xab))
  })

  it('a product over nothing is zero', () => {
    expect(productError({ m: 3, n: 4, k: 0, transposeA: false, transposeB: false, add: false })).toBe(0)
  })

  it('carries sums over more rows than one panel holds', () => {
    for (const add of [false, true])
      expect(productError({ m: 5, n: 9, k: 1100, transposeA: false, transposeB: false, add })).toBeLessThan(1e-4)
  })
})

describe('exp and softplus', () => {
  it('agree with the engine to 1e-14 over the range of logits', () => {
    for (let x = -80; x <= 80; x += 0.037) {
      expect(Math.abs(kernels.exp(x) / Math.exp(x) - 1)).toBeLessThan(1e-14)
      const exact = Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))
      expect(Math.abs(kernels.softplus(x) - exact)).toBeLessThan(1e-14 * Math.max(1, exact))
    }
  })

  it('neither overflow nor vanish at the ends', () => {
    expect(kernels.exp(1e9)).toBeLessThan(Infinity)
    expect(kernels.exp(-1e9)).toBeGreaterThan(0)
    expect(kernels.softplus(1e6)).toBe(1e6)
    expect(kernels.softplus(-1e6)).toBeLessThan(1e-300)
  })

  it('give the very bits that every other machine gives', () => {
    const bits = [0.1, 1, -3.7, 20.5].map((x) => [kernels.exp(x), kernels.softplus(x)])
    expect(bits).toMatchInlineSnapshot(`
      [
        [
          1.1051709180756477,
          0.744396660073571,
        ],
        [
          2.7182818284590455,
          1.3132616875182228,
        ],
        [
          0.024723526470339388,
          0.024422845933779153,
        ],
        [
          799902177.4755054,
          20.500000001250154,
        ],
      ]
    `)
  })
})

describe('aggregation', () => {
  it('an accumulator is the float64 sum of weighted float32 values, at every length and in every grouping', () => {
    for (const length of [1, 3, 4, 7, 8, 9, 4095, 4097])
      for (const groups of [[1, 1, 1, 1, 1, 1], [4, 2], [3, 3], [6], [1, 5]]) {
        const accumulator = kernels.accumulator(length, 6)
        const vectors = accumulator.inputs.map((_, seed) => floats(length, String(seed)))
        accumulator.inputs.forEach((input, i) => input.set(vectors[i] ?? []))
        let first = 0
        for (const size of groups) {
          const weights = vectors.slice(first, first + size).map((_, i) => first + i + 0.5)
          expect(accumulator.add(first, weights, length)).toBe(-1)
          first += size
        }
        const out = new Float32Array(length)
        accumulator.mean(4.5, out)
        accumulator.release()
        const sumAt = (i: number): number => vectors.reduce((sum, vector, v) => sum + (vector[i] ?? 0) * (v + 0.5), 0)
        expect(out).toEqual(Float32Array.from(out, (_, i) => sumAt(i) / 4.5))
      }
  })

  it('refuses one NaN or infinity at any position', () => {
    for (const bad of [Number.NaN, Infinity, -Infinity])
      for (let at = 0; at < 37; at++) {
        const chunk = floats(37, 'bad')
        chunk[at] = bad
        expect(kernels.finite(chunk)).toBe(false)
        const accumulator = kernels.accumulator(37, 6)
        accumulator.inputs.forEach((input) => input.fill(1))
        accumulator.inputs[at % 6]?.set(chunk)
        expect(accumulator.add(0, [1, 2, 3, 4, 5, 6], 37)).toBe(at % 6)
        accumulator.release()
      }
    expect(kernels.finite(floats(37, 'good'))).toBe(true)
    expect(kernels.finite(Float32Array.of(3.4028235e38, -3.4028235e38, 1e-45))).toBe(true)
  })

  it('starts from zero whenever it is made or reset, and refuses more values or inputs than it has', () => {
    const out = new Float32Array(4)
    for (let again = 0; again < 2; again++) {
      const accumulator = kernels.accumulator(4, 2)
      accumulator.inputs[1]?.set([1, 2, 3, 4])
      accumulator.add(1, [1], 4)
      accumulator.reset()
      accumulator.add(1, [2], 2)
      accumulator.mean(2, out)
      expect([...out]).toEqual([1, 2, 0, 0])
      for (const tooMuch of [() => accumulator.add(0, [1], 5), () => accumulator.add(1, [1, 1], 4)])
        expect(tooMuch).toThrow(expect.objectContaining({ code: 'wrong-shape' }))
      accumulator.release()
    }
  })

  it('norms and distances are those of float64', () => {
    for (const length of [0, 1, 5, 8, 1023]) {
      const [a, b] = [floats(length, 'a'), floats(length, 'b')]
      const norm = a.reduce((sum, value) => sum + value * value, 0)
      const distance = a.reduce((sum, value, i) => sum + (value - (b[i] ?? 0)) ** 2, 0)
      expect(kernels.squaredNorm(a)).toBeCloseTo(norm, 10)
      expect(kernels.squaredDistance(a, b)).toBeCloseTo(distance, 10)
    }
    expect(() => kernels.squaredDistance(new Float32Array(2), new Float32Array(3))).toThrow()
  })
})

describe('layers', () => {
  it('biasRelu, reluBackward and columnSums work on widths that are no multiple of four', () => {
    const [rows, columns] = [3, 7]
    const [x, bias, h] = [floats(21, 'x'), floats(7, 'bias'), floats(21, 'h')]
    withArrays([x, bias, h, new Float32Array(7)], (px = 0, pb = 0, ph = 0, ps = 0) => {
      raw.columnSums(px, ps, rows, columns)
      const sums = Array.from({ length: 7 }, (_, c) => (x[c] ?? 0) + (x[c + 7] ?? 0) + (x[c + 14] ?? 0))
      arena.float32(ps, 7).forEach((sum, c) => expect(sum).toBeCloseTo(sums[c] ?? 0, 6))
      raw.biasRelu(px, pb, rows, columns, 1)
      const active = x.map((value, i) => Math.max(0, Math.fround(value + (bias[i % 7] ?? 0))))
      expect(arena.float32(px, 21)).toEqual(active)
      raw.reluBackward(px, ph, 21)
      expect(arena.float32(px, 21)).toEqual(active.map((value, i) => ((h[i] ?? 0) > 0 ? value : 0)))
    })
  })
})

describe('optimisers', () => {
  it('Adam takes the first step that its paper gives: the learning rate in the direction of the sign', () => {
    const gradient = Float32Array.of(0.5, -2, 1e-3, 4, -7)
    withArrays(
      [new Float32Array(5), gradient, new Float32Array(5), new Float32Array(5)],
      (p = 0, g = 0, m = 0, v = 0) => {
        raw.adam(p, g, m, v, 5, 0.01 / (1 - 0.9), 0.9, 0.999, 1e-8, 1 / Math.sqrt(1 - 0.999))
        arena.float32(p, 5).forEach((value, i) => expect(value).toBeCloseTo(-0.01 * Math.sign(gradient[i] ?? 0), 5))
      },
    )
  })

  it('SGD and the proximal gradient are p - rate g and g + mu (p - anchor)', () => {
    const [p, g, anchor] = [
      Float32Array.of(1, 2, 3, 4, 5),
      Float32Array.of(1, 1, 1, 1, 2),
      Float32Array.of(0, 2, 4, 4, 1),
    ]
    withArrays([p, g, anchor], (pp = 0, pg = 0, pa = 0) => {
      raw.proximal(pg, pp, pa, 5, 0.5)
      expect([...arena.float32(pg, 5)]).toEqual([1.5, 1, 0.5, 1, 4])
      raw.sgd(pp, pg, 5, 2)
      expect([...arena.float32(pp, 5)]).toEqual([-2, 0, 2, 2, -3])
    })
  })
})

describe('memory', () => {
  it('does not grow over thousands of calls of mixed sizes', () => {
    const inUse = arena.bytesInUse
    const one = (i: number): void => {
      kernels.finite(new Float32Array((i * 104_729) % 3000))
      kernels.squaredDistance(new Float32Array(i % 77), new Float32Array(i % 77))
    }
    for (let i = 0; i < 200; i++) one(i)
    const offset = arena.allocate(1)
    arena.release(offset)
    for (let i = 0; i < 5000; i++) one(i)
    expect(arena.bytesInUse).toBe(inUse)
    const again = arena.allocate(1)
    arena.release(again)
    expect(again).toBe(offset)
  })

  it('grows, and keeps what it and the accumulators hold', () => {
    const small = loadKernels({ pages: 1 })
    const accumulator = small.accumulator(100, 1)
    const [input] = accumulator.inputs
    const block = small.arena.allocate(400)
    small.arena.float32(block, 100).fill(3)
    small.arena.release(small.arena.allocate(4_000_000))
    input?.fill(2)
    expect(accumulator.add(0, [1], 100)).toBe(-1)
    const out = new Float32Array(100)
    accumulator.mean(1, out)
    expect(out).toEqual(new Float32Array(100).fill(2))
    expect(small.arena.float32(block, 100)).toEqual(new Float32Array(100).fill(3))
  })

  it('refuses a second release', () => {
    const offset = arena.allocate(10)
    arena.release(offset)
    expect(() => arena.release(offset)).toThrow(expect.objectContaining({ code: 'internal' }))
  })

  it('blocks never overlap, whatever the order of calls', () => {
    const call = fc.oneof(fc.record({ take: fc.integer({ min: 0, max: 5000 }) }), fc.record({ give: fc.nat(30) }))
    fc.assert(
      fc.property(fc.array(call, { maxLength: 60 }), (calls) => {
        const own = loadKernels().arena
        const held: { offset: number; bytes: number }[] = []
        for (const item of calls) {
          if ('take' in item) held.push({ offset: own.allocate(item.take), bytes: Math.max(1, item.take) })
          else if (held.length > 0) own.release(held.splice(item.give % held.length, 1)[0]?.offset ?? 0)
        }
        const sorted = held.toSorted((a, b) => a.offset - b.offset)
        return sorted.every(({ offset, bytes }, i) => offset + bytes <= (sorted[i + 1]?.offset ?? Infinity))
      }),
      { numRuns: 50 },
    )
  })
})

it('bytes that are not the kernels are refused with a code', () => {
  expect(() => instantiateKernels(new Uint8Array(8))).toThrow(expect.objectContaining({ code: 'model-invalid' }))
})
