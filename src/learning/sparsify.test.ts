import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { loadKernels } from '../../test/kernels.ts'
import { parseTrainingConfig } from './config.ts'
import { prepareContribution } from './contribution.ts'
import { configOf } from './learning.suite.ts'
import { maskedMean } from './masked-mean.ts'
import { gather, type SparsifyConfig, sparsify, supportOf, vectorLength } from './sparsify.ts'
import { expectedStages, STAGES } from './stages.ts'

const kernels = loadKernels()
const asked = (method: SparsifyConfig['method'], fraction: number, errorFeedback = true) => ({
  sparsify: { method, fraction, errorFeedback },
  seed: 'sparse',
})
const updates = fc
  .array(fc.float({ noNaN: true, noDefaultInfinity: true, min: -100, max: 100 }), { minLength: 1, maxLength: 60 })
  .map((values) => Float32Array.from(values))
const methods = fc.constantFrom('top-k', 'random-k' as const)
const fractions = fc.double({ min: 0.01, max: 1, noNaN: true })

describe('the part of an update that leaves', () => {
  it('is the largest by magnitude, and the first of equals', () => {
    const { update, residual } = sparsify(Float32Array.of(1, -3, 2, 3, -2), null, asked('top-k', 0.6), 1)
    expect([...update]).toEqual([0, -3, 2, 3, 0])
    expect([...(residual ?? [])]).toEqual([1, 0, 0, 0, -2])
  })

  it('is as many coordinates as the fraction says, at least one, and of all when the fraction is one', () => {
    fc.assert(
      fc.property(updates, methods, fractions, (update, method, fraction) => {
        const count = Math.max(1, Math.ceil(fraction * update.length))
        const { update: sent } = sparsify(update, null, asked(method, fraction), 1)
        expect(sent.filter((value) => value !== 0).length).toBeLessThanOrEqual(count)
        if (method === 'top-k')
          expect(sent.filter((value) => value !== 0).length).toBe(
            Math.min(count, update.filter((value) => value !== 0).length),
          )
      }),
    )
    expect([...sparsify(Float32Array.of(1, 2), null, asked('top-k', 1), 1).update]).toEqual([1, 2])
  })

  it('and the part that stays are the whole, exactly', () => {
    fc.assert(
      fc.property(updates, methods, fractions, (update, method, fraction) => {
        const { update: sent, residual } = sparsify(update, null, asked(method, fraction), 3)
        for (const [i, value] of update.entries()) {
          expect((sent[i] ?? 0) + (residual?.[i] ?? 0)).toBe(value + 0)
          expect(sent[i] === 0 || residual?.[i] === 0).toBe(true)
        }
      }),
    )
  })

  it('carries what stayed behind, until it has been sent', () => {
    let residual: Float32Array | null = null
    const total = [0, 0, 0, 0]
    for (let round = 1; round <= 40; round++) {
      const step = sparsify(Float32Array.of(8, 4, 2, 1), residual, asked('top-k', 0.25), round)
      residual = step.residual
      for (const [i, value] of step.update.entries()) total[i] = (total[i] ?? 0) + value
    }
    // What is sent in the long run is the update, up to what is left behind at the end.
    for (const [i, value] of [8, 4, 2, 1].entries()) expect((total[i] ?? 0) + (residual?.[i] ?? 0)).toBe(40 * value)
    expect(Math.max(...(residual ?? []))).toBeLessThan(40)
    const forgetful = sparsify(
      Float32Array.of(8, 4, 2, 1),
      Float32Array.of(0, 0, 0, 99),
      asked('top-k', 0.25, false),
      1,
    )
    expect([...forgetful.update]).toEqual([8, 0, 0, 0])
    expect(forgetful.residual).toBeNull()
  })

  it('is at coordinates that everybody draws alike, others in each round, and all of them in the long run', () => {
    const random = asked('random-k', 0.1)
    const seen = new Set<number>()
    for (let round = 1; round <= 200; round++) {
      const support = supportOf(random, round, 100) as Uint32Array
      expect(support).toHaveLength(vectorLength(random, 100))
      expect([...support]).toEqual([...new Set(support)].toSorted((a, b) => a - b))
      for (const i of support) seen.add(i)
    }
    expect(seen.size).toBe(100)
    expect(supportOf(random, 1, 100)).toEqual(supportOf(random, 1, 100))
    expect(supportOf(random, 1, 100)).not.toEqual(supportOf(random, 2, 100))
    expect(supportOf(asked('top-k', 0.1), 1, 100)).toBeNull()
    expect(vectorLength(asked('top-k', 0.1), 100)).toBe(100)
  })

  it('is refused with what another model left behind', () => {
    const mismatched = () => sparsify(Float32Array.of(1, 2), Float32Array.of(1), asked('top-k', 0.5), 1)
    expect(mismatched).toThrow(expect.objectContaining({ code: 'wrong-shape' }))
  })
})

describe('a sparse contribution', () => {
  const prepare = (
    changes: Record<string, unknown>,
    residual: Float32Array | null,
    update = Float32Array.of(3, 4, 0.5),
  ) =>
    prepareContribution(update, {
      config: configOf(changes),
      parameterCount: update.length,
      kernels,
      round: 2,
      residual,
    })
  const topOne = { sparsify: { method: 'top-k', fraction: 0.3 } }

  it('is clipped after what was left behind was added, so that it is never longer than the clip', () => {
    const { update, residual } = prepare({ ...topOne, clipNorm: 1 }, Float32Array.of(100, 0, 0))
    expect(Math.hypot(...update)).toBeLessThanOrEqual(1)
    expect([...update]).toEqual([expect.closeTo(1, 5), 0, 0])
    // What the clip takes away does not come back.
    expect([...(residual ?? [])]).toEqual([0, 4, 0.5])
  })

  it('says so in its record, between the stages before and after, as the hub expects it', () => {
    for (const changes of [topOne, { sparsify: { method: 'random-k', fraction: 0.5, errorFeedback: false } }]) {
      const { stages } = prepare(changes, null)
      expect(stages).toEqual(expectedStages(configOf(changes)))
      expect(stages.map(({ stage }) => stage)).toEqual(['sanitise', 'sparsify', ...STAGES.slice(1)])
    }
    expect(prepare(topOne, null).stages[1]).toEqual({
      stage: 'sparsify',
      applied: true,
      norm_max: null,
      parameters: { method: 'top-k', fraction: 0.3, error_feedback: 'yes' },
    })
  })

  it('is not asked for by default, and then nothing of it is in records or configurations', () => {
    expect(configOf({})).not.toHaveProperty('sparsify')
    expect(prepare({}, null)).toMatchObject({ residual: null })
    expect(prepare({}, null).stages.map(({ stage }) => stage)).toEqual([...STAGES])
    expect([...prepare({ sparsify: null }, null).update]).toEqual([3, 4, 0.5])
    for (const sparse of [{ method: 'top-k', fraction: 0 }, { method: 'top-k', fraction: 2 }, { method: 'best' }])
      expect(() => parseTrainingConfig({ ...configOf({}), sparsify: sparse })).toThrow(
        expect.objectContaining({ code: 'invalid-request' }),
      )
  })

  it('is refused under a rule that would see mostly zeros', () => {
    const under = (rule: string, method: string) => () =>
      configOf({ robust: { rule, f: 1 }, round: { participantsMin: 7 }, sparsify: { method, fraction: 0.1 } })
    for (const rule of ['median', 'trimmed-mean', 'bulyan'])
      expect(under(rule, 'top-k')).toThrow(expect.objectContaining({ code: 'invalid-request' }))
    for (const sound of [under('median', 'random-k'), under('multi-krum', 'top-k')]) expect(sound).not.toThrow()
  })

  it('has noise of whole organisations on the coordinates of the round only, where these are known', () => {
    const privacy = { unit: 'organisation', mechanism: 'local-discrete-gaussian', epsilon: 8, delta: 1e-5, clip: 1 }
    const config = configOf({ privacy, sparsify: { method: 'random-k', fraction: 0.2 } })
    const noisy = (changed: typeof config) =>
      prepareContribution(new Float32Array(50), {
        config: changed,
        parameterCount: 50,
        kernels,
        round: 2,
        drawNoise: (_, out) => void out.fill(7),
      }).update
    const support = supportOf(config, 2, 50) as Uint32Array
    expect([...noisy(config).entries()].filter(([, value]) => value !== 0).map(([i]) => i)).toEqual([...support])
    const largest = configOf({ privacy, sparsify: { method: 'top-k', fraction: 0.2 } })
    expect(noisy(largest).every((value) => value !== 0)).toBe(true)
  })
})

describe('the mean of vectors of a part of the coordinates', () => {
  it('is the mean there and nothing elsewhere, whatever the size of the chunks', async () => {
    const support = supportOf(asked('random-k', 0.2), 5, 97) as Uint32Array
    const words = Int32Array.from(support, (i) => 1000 * (i + 1))
    const scale = { width: 32, levels: 1000, clip: 1, weightMax: 1 } as const
    const read = async (offset: number, into: Uint8Array): Promise<void> =>
      into.set(new Uint8Array(words.buffer, offset, into.length))
    const whole = Float32Array.from({ length: 97 }, (_, i) => (support.includes(i) ? (i + 1) / 2 : 0))
    for (const chunk of [1, 7, 97]) {
      const { combine } = maskedMean({ scale, totalWeight: 2, support, read }, 97, chunk)
      const mean = new Float32Array(97)
      for (let at = 0; at < 97; at += chunk) await combine(at, mean.subarray(at, Math.min(97, at + chunk)))
      expect([...mean]).toEqual([...whole])
    }
    expect(gather(support, whole)).toHaveLength(20)
  })
})
