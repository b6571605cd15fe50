import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { loadKernels } from '../../../test/kernels.ts'
import { prng } from '../../base/prng.ts'

const kernels = loadKernels()

/** Squared distances by the kernels, of rows and the origin, block after block. */
async function distances(vectors: readonly Float32Array[], length = 4096): Promise<(i: number, j: number) => number> {
  const rows = kernels.rows(length, vectors.length, 0)
  const size = vectors[0]?.length ?? 0
  for (let at = 0; at < size; at += length) {
    vectors.forEach((vector, i) => rows.inputs[i]?.set(vector.subarray(at, at + length)))
    rows.turn()
    await rows.addPairDistances(Math.min(length, size - at))
  }
  const table = rows.pairDistances()
  rows.release()
  return (i, j) => table[Math.min(i, j) * (vectors.length + 1) + Math.max(i, j)] ?? Number.NaN
}

function exactly(a: Float32Array, b: Float32Array = new Float32Array(a.length)): number {
  return a.reduce((sum, value, i) => sum + (value - (b[i] ?? 0)) ** 2, 0)
}

const random = prng('rows')
const drawn = (length: number, scale = 1): Float32Array =>
  Float32Array.from({ length }, () => Math.fround(scale * random.normal()))
const around = (centre: Float32Array, scale: number): Float32Array =>
  centre.map((value) => value + scale * random.normal())
const times = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i))

const LENGTH = 5003
const long = drawn(LENGTH, 1000)
const [here, there] = [drawn(LENGTH), drawn(LENGTH)]
const SETTINGS: Readonly<Record<string, readonly Float32Array[]>> = {
  'drawn apart': times(11, () => drawn(LENGTH)),
  'long and alike, a millionth of their length apart': times(13, () => around(long, 1e-3)),
  'long and alike, with others that point the other way': [
    ...times(9, () => around(long, 1e-3)),
    ...times(4, () => around(long, 1e-3).map((value) => -value)),
  ],
  'in two crowds, each far closer than they are apart': [
    ...times(6, () => around(here, 1e-4)),
    ...times(7, () => around(there, 1e-4)),
  ],
  'led by five that are far away and alike': [
    ...times(5, () => around(long, 1e-2)),
    ...times(7, () => around(here, 1e-3)),
  ],
  'of very different lengths': times(10, (i) => drawn(LENGTH, 10 ** (i - 5))),
}

describe('squared distances of all pairs', () => {
  it.each(Object.keys(SETTINGS))('are those of float64 to six digits: rows %s', async (name) => {
    const vectors = SETTINGS[name] ?? []
    const of = await distances(vectors)
    for (const [i, a] of vectors.entries()) {
      expect(of(i, vectors.length) / exactly(a)).toBeCloseTo(1, 6)
      for (const [j, b] of vectors.entries()) if (i < j) expect(of(i, j) / exactly(a, b)).toBeCloseTo(1, 5.5)
    }
  })

  it('are zero between equal rows, and equal to any third, wherever the rows stand', async () => {
    const [one, other] = [around(long, 1), drawn(LENGTH)]
    const vectors = [drawn(LENGTH), one, other, drawn(LENGTH), drawn(LENGTH, 3), one.slice(), drawn(LENGTH)]
    const of = await distances(vectors)
    expect(of(1, 5)).toBe(0)
    for (const i of [0, 2, 3, 4, 6, 7]) expect(of(1, i)).toBe(of(5, i))
  })

  it('of finite rows are not touched by rows with NaN, infinity or squares that overflow, though these be in the middle', async () => {
    const [finite, bad] = [times(4, () => drawn(LENGTH)), [Number.NaN, Infinity, -Infinity, 3e38, Number.NaN, -3e38]]
    const vectors = [...bad.map((value) => new Float32Array(LENGTH).fill(value)), ...finite]
    const of = await distances(vectors)
    for (let i = 0; i < bad.length; i++)
      for (let j = i + 1; j <= vectors.length; j++) expect(of(i, j)).not.toBeLessThan(Infinity)
    for (let i = 0; i < finite.length; i++)
      for (let j = i + 1; j < finite.length; j++)
        expect(of(6 + i, 6 + j) / exactly(finite[i] as Float32Array, finite[j])).toBeCloseTo(1, 6)
  })

  it('do not depend on the size of the blocks, for any number of rows and coordinates', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 14 }), fc.integer({ min: 1, max: 9000 }), async (count, size) => {
        const vectors = times(count, () => drawn(size))
        const [small, large] = [await distances(vectors, 2048), await distances(vectors, 10_240)]
        for (let i = 0; i < count; i++) for (let j = i + 1; j <= count; j++) expect(small(i, j)).toBe(large(i, j))
      }),
      { numRuns: 30 },
    )
  })
})
