import { beforeAll, describe, expect, it } from 'vitest'
import type { Protection } from '../src/learning/masking-config.ts'
import { type SparsifyConfig, supportOf } from '../src/learning/sparsify.ts'
import type { StageRecord } from '../src/learning/stages.ts'
import type { Kernels } from '../src/models/kernels/kernels.ts'
import { loadKernels } from '../src/node/kernels.ts'
import { createSealer } from '../src/node/sealer.ts'
import { bucketPlan } from './byzantine/byzantine.ts'
import { blocksOf } from './checkers/blocks.ts'
import { checkCountedOnce } from './checkers/counted-once.ts'
import { checkDurable } from './checkers/durable.ts'
import { checkHidden } from './checkers/hidden.ts'
import { checkOneLedger } from './checkers/one-ledger.ts'
import { checkReproducible, createReference, type Reference } from './checkers/reproducible.ts'
import { flatValues } from './checkers/updates.ts'
import { runCluster } from './cluster.ts'
import { simulatedSecret } from './keys.ts'
import { type Plan, planOf, undisturbed } from './plan.ts'
import { type Run, stateOf } from './run.ts'

const ROUNDS = 4
const SEEDS = 8
/** Of the simulator's perceptron. */
const PARAMETERS = 31

let kernels: Kernels
let reference: Reference
beforeAll(() => {
  kernels = loadKernels()
  reference = createReference(kernels)
})

function planFor(seed: string, protection: Protection, sparsify: SparsifyConfig): Plan {
  const plan = planOf(seed)
  const scenario = { ...plan.scenario, strategy: 'fedavg', proximalMu: 0, rounds: ROUNDS, clipNorm: 0.5 } as const
  return { ...plan, scenario: { ...scenario, protection, sparsify } }
}

const top: SparsifyConfig = { method: 'top-k', fraction: 0.1, errorFeedback: true }
const random: SparsifyConfig = { method: 'random-k', fraction: 0.1, errorFeedback: true }

async function violationsOf(run: Run): Promise<unknown[]> {
  return [
    ...checkDurable(run),
    ...checkCountedOnce(run),
    ...checkHidden(run),
    ...checkOneLedger(run),
    ...(await checkReproducible(run, reference)),
    ...run.unfinished,
  ]
}

describe('a federation that sends a part of each update', () => {
  let crashes = 0
  for (const [protection, sparsify] of [
    ['plain', top],
    ['secagg', top],
    ['secagg', random],
    ['plain', random],
  ] as const)
    it.each(Array.from({ length: SEEDS }, (_, i) => String(i + 1)))(
      `makes the models of an undisturbed run though nodes die and rounds are missed: ${protection}, ${sparsify.method}, seed %s`,
      { timeout: 60_000 },
      async (seed) => {
        const run = await runCluster({ plan: planFor(seed, protection, sparsify), kernels })
        expect(await violationsOf(run)).toEqual([])
        crashes += run.organisations.reduce((sum, node) => sum + node.crashes, 0)
      },
    )

  it('was really troubled', () => {
    expect(crashes).toBeGreaterThan(40)
  })

  it('masks vectors of a tenth of the coordinates where the round has them in common, and adds nothing elsewhere', async () => {
    const run = await runCluster({ plan: undisturbed(planFor('calm', 'secagg', random)), kernels })
    expect(await violationsOf(run)).toEqual([])
    for (const block of blocksOf(run).slice(1)) {
      const { stages } = block.provenance.privacy_params as unknown as { stages: readonly StageRecord[] }
      const bits = stages.find(({ stage }) => stage === 'quantise')?.parameters?.['bits']
      expect(stages.map(({ stage }) => stage)).toContain('sparsify')
      for (const { contribution } of block.provenance.participants)
        expect(run.hub.blobs.get(contribution)?.length).toBe((Math.ceil(PARAMETERS / 10) * Number(bits)) / 8)
      const values = (digest: string | null) => flatValues(run.hub.blobs.get(digest as never) ?? new Uint8Array())
      const [before, after] = [values(block.provenance.parent_model), values(block.model_hash)]
      expect(after.filter((value, i) => value !== before[i]).length).toBeLessThanOrEqual(4)
    }
  })

  it('takes a rule over the means of buckets to the coordinates of the round, and nowhere else', async () => {
    const plan = bucketPlan('buckets', 'median')
    const sparse = { ...plan, scenario: { ...plan.scenario, sparsify: random } }
    const run = await runCluster({ plan: sparse, kernels })
    expect(run.unfinished).toEqual([])
    expect([...checkHidden(run), ...checkOneLedger(run)]).toEqual([])
    const blocks = blocksOf(run).slice(1)
    expect(blocks).toHaveLength(ROUNDS)
    for (const { aggregation_metrics: metrics, provenance, model_hash } of blocks) {
      expect(metrics['robust_rule']).toBe('median')
      const values = (digest: string | null) => flatValues(run.hub.blobs.get(digest as never) ?? new Uint8Array())
      const [before, after] = [values(provenance.parent_model), values(model_hash)]
      const moved = [...after.keys()].filter((i) => after[i] !== before[i])
      const support = supportOf({ sparsify: random, seed: plan.scenario.trainingSeed }, metrics.round, PARAMETERS)
      expect(moved.length).toBeGreaterThan(0)
      expect(moved.every((i) => support?.includes(i))).toBe(true)
    }
  })

  it.each(['local-discrete-gaussian', 'distributed-discrete-gaussian'])(
    'promises with noise of whole organisations what it promises without: %s',
    async (mechanism) => {
      const plan = undisturbed(planFor('calm', 'secagg', random))
      const privacy = { unit: 'organisation', mechanism, epsilon: 2, delta: 1e-5, clip: 0.5 }
      const { sparsify: _, ...whole } = plan.scenario
      const limit = { epsilon: 2.01, delta: 1.1e-5 }
      const epsilons = async (scenario: Plan['scenario']) => {
        const asked = { ...plan, scenario: { ...scenario, clipNorm: null } }
        const run = await runCluster({
          plan: { ...asked, private: { privacy, trainings: 1, limit, clockJumpMs: 0 } },
          kernels,
        })
        const faults = [...checkDurable(run), ...checkCountedOnce(run), ...checkHidden(run), ...checkOneLedger(run)]
        expect([...faults, ...run.unfinished]).toEqual([])
        return blocksOf(run).map(({ provenance }) => (provenance.privacy_params as { epsilon: number | null }).epsilon)
      }
      const stated = await epsilons(plan.scenario)
      expect(stated).toEqual(await epsilons(whole))
      expect(stated.at(-1)).toBeGreaterThan(1.9)
    },
  )

  it('hands on what stayed behind, encrypted at rest, and without error feedback keeps nothing', async () => {
    const calm = (sparsify: SparsifyConfig) =>
      runCluster({ plan: undisturbed(planFor('calm', 'plain', sparsify)), kernels })
    const [kept, forgotten] = [await calm(top), await calm({ ...top, errorFeedback: false })]
    const models = (run: Run) => blocksOf(run).map((block) => block.model_hash)
    // Nothing was left behind before the first round; from the second on it counts.
    expect(models(kept).slice(0, 2)).toEqual(models(forgotten).slice(0, 2))
    expect(models(kept)[2]).not.toBe(models(forgotten)[2])
    for (const node of forgotten.organisations) expect(stateOf(node, 'residual/t-1')).toBeUndefined()
    for (const node of kept.organisations) {
      const { roundId, from } = stateOf(node, 'residual/t-1') as { roundId: string; from: string }
      expect(roundId).toBe(`t-1-${ROUNDS}`)
      const sealed = node.blobs.get(from as never) ?? new Uint8Array()
      const opened = createSealer(simulatedSecret(node.name), 'residual').openBytes('residual/t-1', sealed)
      const values = new Float32Array(opened.slice().buffer)
      expect(values).toHaveLength(PARAMETERS)
      expect(values.filter((value) => value !== 0).length).toBeGreaterThan(PARAMETERS / 2)
    }
  })
})
