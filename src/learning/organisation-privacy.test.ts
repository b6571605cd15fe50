import { describe, expect, it } from 'vitest'
import { loadKernels } from '../../test/kernels.ts'
import { privacyFaults } from '../ledger/privacy-claims.ts'
import { prng } from '../base/prng.ts'
import { createNoiseTable } from '../privacy/dp/table.ts'
import { privacyParams, privacyStatement } from './block-content.ts'
import { prepareContribution } from './contribution.ts'
import { configOf } from './learning.suite.ts'
import { isDrownedInNoise, noiseOf, noiseOverClip } from './organisation-privacy.ts'
import { guaranteeOf } from './privacy-config.ts'
import { expectedStages, sameStages, type StageRecord } from './stages.ts'

const kernels = loadKernels()
const PRIVACY = { unit: 'organisation', mechanism: 'local-discrete-gaussian', epsilon: 4, delta: 1e-5, clip: 2 }
const config = configOf({ privacy: PRIVACY, rounds: 5 })

/** Seeded for the test; the node draws from the operating system. */
function drawNoise(deviation: number, out: Int32Array): void {
  const random = prng('noise of the test')
  createNoiseTable({ numerator: BigInt(deviation) ** 2n, denominator: 1n }).draw(out, (length) =>
    Uint8Array.from({ length }, () => random.u32() & 255),
  )
}
const prepare = (update: Float32Array) =>
  prepareContribution(update, { config, parameterCount: update.length, kernels, drawNoise })

describe('privacy of a whole organisation', () => {
  it('adds noise of the planned size on whole steps of a grid, and nothing finer', () => {
    const plan = noiseOf(config)
    if (plan === null) throw new Error('no plan')
    const { update } = prepare(new Float32Array(50_000))
    const steps = update.map((value) => value / 2 ** plan.exponent)
    expect(steps.every((value) => Number.isInteger(value))).toBe(true)
    const deviation = Math.sqrt(steps.reduce((sum, value) => sum + value * value, 0) / steps.length)
    expect(Math.abs(deviation / plan.deviation - 1)).toBeLessThan(0.02)
  })

  it('clips to privacy.clip before the noise', () => {
    const plain = prepareContribution(Float32Array.of(300, 400), {
      config,
      parameterCount: 2,
      kernels,
      drawNoise: () => undefined,
    })
    expect(Math.hypot(...plain.update)).toBeLessThanOrEqual(2)
    expect(Math.hypot(...plain.update)).toBeGreaterThan(1.98)
  })

  it('is not prepared without a source of noise: no update goes out unprotected', () => {
    const unprotected = () => prepareContribution(Float32Array.of(1), { config, parameterCount: 1, kernels })
    expect(unprotected).toThrow(expect.objectContaining({ code: 'internal' }))
  })

  it('is recorded as the hub expects it, and told from any other noise', () => {
    const { stages } = prepare(Float32Array.of(1, 2))
    expect(sameStages(stages, expectedStages(config))).toBe(true)
    const weaker = configOf({ privacy: { ...PRIVACY, epsilon: 4.1 }, rounds: 5 })
    expect(sameStages(stages, expectedStages(weaker))).toBe(false)
    expect(sameStages(stages, expectedStages(configOf()))).toBe(false)
  })

  it('is stated from the records: epsilon grows with the rounds and ends within what was asked for', () => {
    const { stages } = prepare(Float32Array.of(1, 2))
    const epsilons = [1, 2, 3, 4, 5].map((rounds) => guaranteeOf(stages, rounds)?.epsilon ?? 0)
    expect(epsilons.toSorted((a, b) => a - b)).toEqual(epsilons)
    expect(epsilons[4]).toBeLessThanOrEqual(4 + 1e-4)
    expect(epsilons[4]).toBeGreaterThan(3.9)
    expect(guaranteeOf(stages, 6)?.epsilon).toBeGreaterThan(4)
  })

  it('follows the record, not the configuration: half the noise on record is a larger epsilon in the block', () => {
    const halved = expectedStages(config).map(
      (record): StageRecord =>
        record.stage === 'noise'
          ? { ...record, parameters: { ...record.parameters, deviation: Number(record.parameters?.['deviation']) / 2 } }
          : record,
    )
    expect(privacyStatement(halved, 5)).toMatchObject({ epsilon: expect.closeTo(9.3, 0) as number })
  })

  it('makes a claim that the ledger accepts, names its unit, and claims nothing where nothing was done', () => {
    const { stages } = prepare(Float32Array.of(1, 2))
    const stated = privacyStatement(stages, 3)
    expect(stated).toMatchObject({ unit: 'organisation', delta: 1e-5, clipping_norm: 2, rounds: 3 })
    expect([...privacyFaults(stated)]).toEqual([])
    expect(privacyParams(config)).toEqual({ epsilon: null, delta: null, clipping_norm: null, stages: [] })
    expect(privacyStatement(expectedStages(configOf()), 3)).toMatchObject({ epsilon: null, delta: null })
    expect(privacyStatement(expectedStages(configOf()), 3)).not.toHaveProperty('unit')
  })

  it('is refused where it cannot be had: a second clip, another unit, epsilon out of bounds', () => {
    const refused = [
      { clipNorm: 1, privacy: PRIVACY },
      { privacy: { ...PRIVACY, unit: 'example' } },
      { privacy: { ...PRIVACY, epsilon: 0 } },
      { privacy: { ...PRIVACY, delta: 0.5 } },
      { privacy: { unit: 'organisation' } },
    ]
    for (const changes of refused)
      expect(() => configOf(changes)).toThrow(expect.objectContaining({ code: 'invalid-request' }))
  })

  it('is warned of while organisations are few, and as long as the noise of the mean is larger than the clip', () => {
    const at = (organisations: number, parameters: number): boolean =>
      isDrownedInNoise(noiseOverClip(config, parameters, organisations), organisations)
    expect(at(99, 1)).toBe(true)
    expect(at(150, 1)).toBe(false)
    expect(at(150, 6000)).toBe(true)
    expect(isDrownedInNoise(noiseOverClip(configOf(), 6000, 3), 3)).toBe(false)
  })

  it('refuses a record of noise that does not say what it was', () => {
    const bare = [{ stage: 'noise', applied: true, norm_max: null }] as const
    expect(() => guaranteeOf(bare, 1)).toThrow(expect.objectContaining({ code: 'invalid-request' }))
  })
})
