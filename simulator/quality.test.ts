import { beforeAll, describe, expect, it } from 'vitest'
import type { OrganisationId } from '../src/base/ids.ts'
import { prng } from '../src/base/prng.ts'
import type { Protection } from '../src/learning/masking-config.ts'
import type { ValidationRecord, ValidationState } from '../src/learning/validation.ts'
import type { Kernels } from '../src/models/kernels/kernels.ts'
import { createModel } from '../src/models/model.ts'
import { type HeldOut, tryOn } from '../src/node/held-out.ts'
import { loadKernels } from '../src/node/kernels.ts'
import type { Trainer } from '../src/node/ports.ts'
import { byzantinePlan, type Falsify, lying, ORGANISATIONS } from './byzantine/byzantine.ts'
import { blocksOf } from './checkers/blocks.ts'
import { replayFaults } from './checkers/reproducible.ts'
import { runCluster } from './cluster.ts'
import { type Plan, undisturbed } from './plan.ts'
import { recordsOf, type Run, stateOf } from './run.ts'

const WIDTH = 4
const ROWS = 600
const ROUNDS = 4
const [LIAR, OTHER_LIAR, THIRD_LIAR] = ORGANISATIONS

let kernels: Kernels
beforeAll(() => {
  kernels = loadKernels()
})

/** More rows of the clouds that fakes/trainer.ts trains on. */
function heldOutOf(organisation: OrganisationId): HeldOut {
  const random = prng(`held-out/${organisation}`)
  const isAttack = Array.from({ length: ROWS }, (_, row) => row % 4 === 0)
  const shift = (i: number): number => (isAttack[Math.floor(i / WIDTH)] === true ? 1.5 : 0)
  return { features: Float32Array.from({ length: ROWS * WIDTH }, (_, i) => random.normal() + shift(i)), isAttack }
}

const validating = (organisation: OrganisationId, trainer: Trainer): Trainer => ({
  ...trainer,
  validate: async ({ spec, before, after }) =>
    spec.kind === 'policy'
      ? { rows: 0, gain: 0 }
      : tryOn(createModel(spec, kernels), heldOutOf(organisation), before, after),
})

/** Says of every model that it is as bad, or as good, as can be. */
const saying = (trainer: Trainer, gain: number): Trainer => ({
  ...trainer,
  validate: async () => ({ rows: ROWS, gain: gain * ROWS }),
})

function planFor(seed: string, protection: Protection = 'plain'): Plan {
  const plan = byzantinePlan(seed, 'median', 1)
  const { robust: _, ...scenario } = plan.scenario
  const limit = { epsilon: 4, delta: 1e-5 }
  return {
    ...plan,
    scenario: { ...scenario, protection },
    private: { privacy: null, trainings: 1, limit, clockJumpMs: 0 },
  }
}

type Change = (organisation: OrganisationId, trainer: Trainer) => Trainer
const run = (plan: Plan, change: Change = (_, trainer) => trainer): Promise<Run> =>
  runCluster({
    plan,
    kernels,
    tampering: { trainer: (organisation, honest) => change(organisation, validating(organisation, honest)) },
  })

const flip: Falsify = (update) => update.map((value) => -1000 * value)
const attacked: Change = (organisation, trainer) => (organisation === LIAR ? lying(trainer, flip) : trainer)

const qualities = (history: Run): ValidationRecord[] =>
  Array.from({ length: ROUNDS }, (_, i) => recordsOf(history.hub, 'validation').get(`t-1-${i + 1}`) as ValidationRecord)

describe('aggregation quality of a federation that trains', () => {
  it.each<Protection>(['plain', 'secagg'])('shows no harm while nobody lies (%s)', async (protection) => {
    const history = await run(undisturbed(planFor('calm', protection)))
    expect(history.unfinished).toEqual([])
    for (const record of qualities(history)) {
      expect(record).toMatchObject({ validators: ORGANISATIONS.length, byzantine_detection_triggered: false })
      expect(record.aggregation_quality).toBeGreaterThanOrEqual(-0.1)
    }
    expect(qualities(history)[0]?.aggregation_quality).toBeGreaterThan(0)
  })

  it.each<Protection>(['plain', 'secagg'])(
    'collapses when one organisation flips the sign, and every round is sealed all the same (%s)',
    async (protection) => {
      const history = await run(undisturbed(planFor('calm', protection)), attacked)
      expect(history.unfinished).toEqual([])
      expect(blocksOf(history)).toHaveLength(1 + ROUNDS)
      const collapsed = qualities(history).filter((record) => record.byzantine_detection_triggered)
      expect(collapsed.length).toBeGreaterThan(0)
      for (const { aggregation_quality: quality, worse } of collapsed) {
        expect(quality).toBeLessThanOrEqual(-0.3)
        expect(worse).toBeGreaterThanOrEqual(4)
      }
    },
  )

  it('is neither ruined nor rescued by three of seven validators who lie', async () => {
    const liars = [LIAR, OTHER_LIAR, THIRD_LIAR]
    const cry: Change = (organisation, trainer) => (liars.includes(organisation) ? saying(trainer, -1000) : trainer)
    for (const record of qualities(await run(undisturbed(planFor('calm')), cry)))
      expect(record).toMatchObject({ validators: 7, byzantine_detection_triggered: false })
    const praise: Change = (organisation, trainer) => {
      const flipped = attacked(organisation, trainer)
      return liars.includes(organisation) ? saying(flipped, 1000) : flipped
    }
    const collapsed = qualities(await run(undisturbed(planFor('calm')), praise)).map(
      (record) => record.byzantine_detection_triggered,
    )
    expect(collapsed).toContain(true)
  })

  it.each(['1', '2', '3'])(
    'counts one word of each, the one it stored, though nodes die and letters come twice: seed %s',
    { timeout: 60_000 },
    async (seed) => {
      const history = await run(planFor(seed))
      expect(history.unfinished).toEqual([])
      expect(replayFaults(history.hub)).toEqual([])
      let words = 0
      for (let round = 1; round <= ROUNDS; round++) {
        const { verdicts } = stateOf(history.hub, `validation/t-1-${round}`) as ValidationState
        for (const node of history.organisations) {
          const stored = stateOf(node, `verdict/t-1-${round}`) as { improvementPercent: number } | undefined
          expect(verdicts[node.name as OrganisationId]).toBe(stored?.improvementPercent)
          words += stored === undefined ? 0 : 1
        }
      }
      expect(words).toBeGreaterThan(ROUNDS * (ORGANISATIONS.length - 2))
    },
  )

  it.each<[string, Plan['private']]>([
    ['a budget', undefined],
    [
      'a budget for the purpose "validation"',
      {
        privacy: null,
        trainings: 1,
        limit: { epsilon: 4, delta: 1e-5, purposes: { validation: { epsilon: 0.01, delta: 1e-5 } } },
        clockJumpMs: 0,
      },
    ],
  ])('says nothing without %s, and rounds go on', async (_name, asked) => {
    const { private: _, ...plan } = planFor('calm')
    const history = await run(undisturbed({ ...plan, ...(asked === undefined ? {} : { private: asked }) }))
    expect(history.unfinished).toEqual([])
    expect(blocksOf(history)).toHaveLength(1 + ROUNDS)
    expect(recordsOf(history.hub, 'validation').size).toBe(0)
  })
})
