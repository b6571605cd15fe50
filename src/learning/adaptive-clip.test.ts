import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { loadKernels } from '../../test/kernels.ts'
import { prng } from '../base/prng.ts'
import { proposeBlock } from '../ledger/block.ts'
import { clipFault, countOf, declaredShare, nextClip, unclippedShare, withClip } from './adaptive-clip.ts'
import { privacyStatement, roundBlockContent } from './block-content.ts'
import { prepareContribution } from './contribution.ts'
import {
  AGGREGATED,
  configOf,
  contributionOf,
  digestFor,
  OPENED_AT,
  opening,
  participants,
  TRAINING,
} from './learning.suite.ts'
import { noiseOf } from './organisation-privacy.ts'
import { guaranteeOf } from './privacy-config.ts'
import { roundMachine } from './round.ts'
import type { OpenedRound, RoundEvent, RoundOpened } from './round-state.ts'
import { expectedStages } from './stages.ts'
import { trainingMachine } from './training.ts'
import type { TrainingEvent } from './training-state.ts'

const kernels = loadKernels()
const ADAPTIVE = { quantile: 0.5, rate: 0.2 }
const PRIVACY = { unit: 'organisation', mechanism: 'local-discrete-gaussian', epsilon: 4, delta: 1e-5, clip: 2 }
const plain = configOf({ clipNorm: 2, clipAdaptive: ADAPTIVE, rounds: 4 })
const noisy = configOf({ privacy: PRIVACY, clipAdaptive: ADAPTIVE, rounds: 4 })

describe('a clip that follows the updates', () => {
  it.each([0.2, 0.5, 0.9])(
    'comes to lie where a share of %d of them is not clipped, from far above and far below',
    (quantile) => {
      for (const start of [1e-3, 1e3]) {
        const random = prng(`norms ${quantile}`)
        let [clip, late] = [start, 0]
        for (let round = 0; round < 800; round++) {
          const norms = Array.from({ length: 50 }, () => Math.exp(random.normal()))
          const share = norms.filter((norm) => norm <= clip).length / norms.length
          if (round >= 400) late += share / 400
          clip = nextClip(clip, share, { quantile, rate: 0.2 })
        }
        expect(Math.abs(late - quantile)).toBeLessThan(0.03)
      }
    },
  )

  it('is moved by the share that the mean of counts tells, whatever the clip', () => {
    fc.assert(
      fc.property(
        fc.array(fc.boolean(), { minLength: 1, maxLength: 40 }),
        fc.double({ min: 1e-5, max: 1e5, noNaN: true }),
        (below, clip) => {
          const counts = below.map((is) => countOf(is ? clip : clip * 1.001, clip))
          const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length
          expect(unclippedShare(mean, clip)).toBeCloseTo(below.filter(Boolean).length / below.length, 9)
        },
      ),
    )
    expect([unclippedShare(1e30, 1), unclippedShare(-1e30, 1)]).toEqual([1, 0])
  })

  it('is not moved far by one who declares what cannot be, nor by who declares nothing', () => {
    const honest = Array.from({ length: 9 }, () => countOf(1, 2))
    expect(declaredShare([...honest, -1e30], 2, null)).toBeCloseTo(0.9, 9)
    expect(declaredShare([...honest, Number.NaN, undefined], 2, null)).toBe(1)
    expect(declaredShare([undefined], 2, null)).toBeUndefined()
  })

  it('is the first of the training where it is named once, and is refused without any, by tensors, or under encryption', () => {
    expect(plain).toMatchObject({ clipNorm: 2, clipAdaptive: { from: 2, ...ADAPTIVE } })
    expect(noisy).toMatchObject({ clipNorm: null, clipAdaptive: { from: 2 } })
    expect(configOf({ clipAdaptive: { from: 3 } })).toMatchObject({
      clipNorm: 3,
      clipAdaptive: { from: 3, ...ADAPTIVE },
    })
    const key = { parameters: 'a'.repeat(64), threshold: 3 }
    for (const refused of [
      { clipAdaptive: {} },
      { clipNorm: 1, clipAdaptive: {}, clipPer: 'layer' },
      { clipNorm: 1, clipAdaptive: { quantile: 1 } },
      { clipNorm: 1, clipAdaptive: {}, protection: 'paillier', encryption: key, round: { participantsMin: 3 } },
    ])
      expect(() => configOf(refused)).toThrow(expect.objectContaining({ code: 'invalid-request' }))
  })
})

describe('the count beside an update', () => {
  const prepare = (update: Float32Array, config = plain, drawNoise?: (deviation: number, out: Int32Array) => void) =>
    prepareContribution(update, { config, parameterCount: update.length, kernels, ...(drawNoise && { drawNoise }) })

  it('says whether the norm was within the clip, and is not there where the clip stays', () => {
    expect(prepare(Float32Array.of(1, 1)).count).toBe(0.5)
    const clipped = prepare(Float32Array.of(3, 4))
    expect(clipped.count).toBe(-0.5)
    expect(clipped.update).toHaveLength(2)
    expect(clipped.stages).toEqual(expectedStages(plain))
    expect(prepare(Float32Array.of(3, 4), configOf({ clipNorm: 2 }))).not.toHaveProperty('count')
  })

  it('has noise of its own, as large as that of every coordinate', () => {
    const drawn: Int32Array[] = []
    const { count = 0, update } = prepare(Float32Array.of(3, 4), noisy, (_, out) => {
      out.set([5, -6, 7])
      drawn.push(out)
    })
    expect(drawn.map(({ length }) => length)).toEqual([3])
    const step = 2 ** (noiseOf(noisy)?.exponent ?? Number.NaN)
    expect(count).toBe(Math.trunc(-0.5 / step) * step + 7 * step)
    expect(update).toHaveLength(2)
  })

  it('costs what Theorem 1 of Andrew et al. says: z_update = (z^-2 - (2 z_count)^-2)^(-1/2)', () => {
    const inClips = (config: typeof noisy): number => {
      const { deviation, exponent } = noiseOf(config) ?? { deviation: 0, exponent: 0 }
      return (deviation * 2 ** exponent) / 2
    }
    const [together, alone] = [inClips(noisy), inClips(configOf({ privacy: PRIVACY, rounds: 4 }))]
    const zCount = together / (1 / 2)
    expect(together / (alone ** -2 - (2 * zCount) ** -2) ** -0.5).toBeCloseTo(1, 2)
    expect(together / alone).toBeCloseTo(Math.sqrt(1 + 1 / 16), 2)
  })

  it('leaves the guarantee of a training what it is, whatever clips its rounds have', () => {
    const epsilons = [1e-4, 0.3, 1, 2, 7.7, 1e4].map(
      (clip) => guaranteeOf(expectedStages(withClip(noisy, clip)), 4)?.epsilon ?? 0,
    )
    expect(new Set(epsilons).size).toBe(1)
    expect(epsilons[0]).toBeLessThanOrEqual(4 + 1e-4)
    expect(epsilons[0]).toBeGreaterThan(3.95)
    expect(privacyStatement(expectedStages(withClip(noisy, 0.3)), 4)).toMatchObject({ clipping_norm: 0.3 })
  })
})

describe('the clip of a round', () => {
  /** The block of a finished round of this clip, in which so many were not clipped. */
  function blockOf(clip: number, unclipped?: number) {
    const config = withClip(configOf({ clipNorm: 2, clipAdaptive: ADAPTIVE, round: { participantsMin: 2 } }), clip)
    const events: RoundEvent[] = [
      opening({ config }),
      ...['org-a', 'org-b', 'org-c'].map((name) => contributionOf(name, { stages: expectedStages(config) })),
    ]
    const state = events.reduce(
      (before, event) => roundMachine.step(before, event).state,
      roundMachine.initial('round/t1-1'),
    )
    return proposeBlock(
      roundBlockContent(state as OpenedRound, { ...AGGREGATED, ...(unclipped === undefined ? {} : { unclipped }) }),
      undefined,
      OPENED_AT,
    )
  }

  it('follows from the block before, by arithmetic that every participant repeats', () => {
    const next = nextClip(1.5, 0.9, ADAPTIVE)
    expect(next).toBeCloseTo(1.5 * Math.exp(-0.08), 12)
    expect(blockOf(1.5, 0.9).aggregation_metrics['unclipped']).toBe(0.9)
    expect(clipFault(withClip(plain, next), TRAINING, blockOf(1.5, 0.9))).toBeUndefined()
    expect(clipFault(withClip(plain, next * 1.01), TRAINING, blockOf(1.5, 0.9))).toContain('by the block before it is')
    expect(clipFault(withClip(plain, 2), 'another-training', blockOf(1.5, 0.9))).toBeUndefined()
    expect(clipFault(withClip(plain, 1.9), 'another-training', blockOf(1.5, 0.9))).toContain('is 2')
  })

  it.each([undefined, -0.1, 1.1])('does not follow from a block that says %d', (said) => {
    expect(clipFault(withClip(plain, 1.5), TRAINING, blockOf(1.5, said))).toContain('does not say how many')
  })

  it('is moved by the training after each finished round, kept after an abandoned one, and the start repeats', () => {
    const start: TrainingEvent = {
      ...{ type: 'training-started', trainingId: TRAINING, config: plain, initialModel: digestFor('base') },
      ...{ sealInitialModel: false, organisations: participants('org-a', 'org-b'), at: 1 },
    }
    const finished = (round: number, unclipped: number): TrainingEvent => ({
      ...{ type: 'round-finished', roundId: `t1-${round}` as never, round, baseModel: digestFor('base') },
      ...{ model: digestFor(`m${round}`), strategyState: null, height: round, hash: digestFor('h'), at: 2, unclipped },
    })
    const abandoned: TrainingEvent = {
      ...{ type: 'round-abandoned', roundId: 't1-2' as never, round: 2, reason: 'masking-failed', detail: '', at: 3 },
    }
    const clips: (number | null)[] = []
    let state = trainingMachine.initial(`training/${TRAINING}`)
    for (const event of [start, finished(1, 1), abandoned, finished(3, 0), start]) {
      const step = trainingMachine.step(state, event)
      state = step.state
      for (const effect of step.effects) clips.push((effect as unknown as { event: RoundOpened }).event.config.clipNorm)
    }
    const [down, up] = [2 * Math.exp(-0.1), 2 * Math.exp(-0.1) * Math.exp(0.1)]
    expect(clips).toEqual([2, down, down, up].map((clip) => expect.closeTo(clip, 12) as number))
  })

  it('is in the record of the clip stage, with what it is moved towards', () => {
    expect(expectedStages(plain)).toContainEqual({ stage: 'clip', applied: true, norm_max: 2, parameters: ADAPTIVE })
  })
})
