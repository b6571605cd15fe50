import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { loadKernels } from '../../test/kernels.ts'
import { prepareContribution } from './contribution.ts'
import { configOf } from './learning.suite.ts'
import { expectedStages, sameStages, STAGES } from './stages.ts'

const kernels = loadKernels()
const prepare = (update: Float32Array, changes: Record<string, unknown> = {}, parameterCount = update.length) =>
  prepareContribution(update, { config: configOf(changes), parameterCount, kernels })
const normOf = (values: Float32Array): number => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0))

describe('a contribution', () => {
  it('goes through the stages in order and says of four of them that they are not applied', () => {
    const { stages } = prepare(Float32Array.of(3, 4), { clipNorm: 1 })
    expect(stages.map(({ stage }) => stage)).toEqual([...STAGES])
    expect(stages.filter(({ applied }) => applied).map(({ stage }) => stage)).toEqual(['sanitise', 'clip'])
  })

  it('records exactly the stages that the hub expects of this configuration', () => {
    for (const changes of [{}, { clipNorm: 0.5 }])
      expect(prepare(Float32Array.of(3, 4), changes).stages).toEqual(expectedStages(configOf(changes)))
  })

  it('without clipping is the update itself, bit for bit', () => {
    expect([...prepare(Float32Array.of(3, -4, 1e-40)).update]).toEqual([...Float32Array.of(3, -4, 1e-40)])
  })

  it('is clipped to the norm, in its direction; the update stays as it was', () => {
    const update = Float32Array.of(3, 4)
    const { update: clipped } = prepare(update, { clipNorm: 1 })
    expect([...clipped]).toEqual([expect.closeTo(0.6, 6), expect.closeTo(0.8, 6)])
    expect([...update]).toEqual([3, 4])
  })

  it('never exceeds the norm, after rounding to float32 either, and is not clipped below it', () => {
    const values = fc.array(fc.float({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 }), {
      minLength: 1,
      maxLength: 50,
    })
    fc.assert(
      fc.property(values, fc.double({ min: 1e-3, max: 1e3, noNaN: true }), (list, clipNorm) => {
        const update = Float32Array.from(list)
        const { update: clipped } = prepare(update, { clipNorm })
        expect(normOf(clipped)).toBeLessThanOrEqual(clipNorm)
        if (normOf(update) <= clipNorm) expect([...clipped]).toEqual([...update])
        else expect(normOf(clipped)).toBeGreaterThan(clipNorm * 0.999999)
      }),
    )
  })

  const layout = [
    { name: 'a', shape: [2, 3] },
    { name: 'b', shape: [1] },
    { name: 'c', shape: [4] },
  ]
  const perLayer = (update: Float32Array, clipNorm: number) =>
    prepareContribution(update, {
      ...{ config: configOf({ clipNorm, clipPer: 'layer' }), parameterCount: update.length, kernels, layout },
    })
  const tensors = (values: Float32Array) => [values.subarray(0, 6), values.subarray(6, 7), values.subarray(7)]

  it('is clipped tensor by tensor if asked, each to its part, so that the whole keeps within the norm', () => {
    const values = fc.array(fc.float({ noNaN: true, noDefaultInfinity: true, min: -1e3, max: 1e3 }), {
      minLength: 11,
      maxLength: 11,
    })
    fc.assert(
      fc.property(values, fc.double({ min: 1e-3, max: 1e3, noNaN: true }), (list, clipNorm) => {
        const update = Float32Array.from(list)
        const { update: clipped } = perLayer(update, clipNorm)
        expect(normOf(clipped)).toBeLessThanOrEqual(clipNorm * (1 + 1e-12))
        for (const [i, tensor] of tensors(clipped).entries()) {
          const before = tensors(update)[i] ?? new Float32Array()
          const bound = clipNorm / Math.sqrt(3)
          expect(normOf(tensor)).toBeLessThanOrEqual(bound)
          // One tensor's size is no reason to shrink another.
          if (normOf(before) <= bound) expect([...tensor]).toEqual([...before])
          else expect(normOf(tensor)).toBeGreaterThan(bound * 0.999999)
        }
      }),
    )
  })

  it('says so in its record, as the hub expects it, and is not prepared without the layout of the model', () => {
    const config = configOf({ clipNorm: 1, clipPer: 'layer' })
    const { stages } = perLayer(new Float32Array(11).fill(1), 1)
    expect(stages).toEqual(expectedStages(config))
    expect(stages[1]).toEqual({ stage: 'clip', applied: true, norm_max: 1, parameters: { per: 'layer' } })
    expect(sameStages(stages, expectedStages(configOf({ clipNorm: 1 })))).toBe(false)
    for (const wrong of [undefined, layout.slice(1)])
      expect(() =>
        prepareContribution(new Float32Array(11), {
          ...{ config, parameterCount: 11, kernels, ...(wrong && { layout: wrong }) },
        }),
      ).toThrow(expect.objectContaining({ code: 'internal' }))
    expect(() => configOf({ clipPer: 'layer' })).toThrow('nothing is clipped')
  })

  it('of an update that diverged stays at home', () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY])
      expect(() => prepare(Float32Array.of(1, value))).toThrow(expect.objectContaining({ code: 'not-finite' }))
  })

  it('of another model is refused', () => {
    expect(() => prepare(Float32Array.of(1, 2), {}, 3)).toThrow(expect.objectContaining({ code: 'wrong-shape' }))
  })
})
