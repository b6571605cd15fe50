import { beforeAll, describe, expect, it } from 'vitest'
import { organisationId } from '../src/base/ids.ts'
import { nextClip } from '../src/learning/adaptive-clip.ts'
import type { RoundEffect } from '../src/learning/round-state.ts'
import type { StageRecord } from '../src/learning/stages.ts'
import type { Block } from '../src/ledger/block.ts'
import type { Kernels } from '../src/models/kernels/kernels.ts'
import { loadKernels } from '../src/node/kernels.ts'
import type { Job, Jobs } from '../src/node/ports.ts'
import { blocksOf } from './checkers/blocks.ts'
import { checkCountedOnce } from './checkers/counted-once.ts'
import { checkHidden } from './checkers/hidden.ts'
import { checkOneLedger } from './checkers/one-ledger.ts'
import { gridOf, sumOfHidden, trainedBy } from './checkers/updates.ts'
import { runCluster, type Tampering } from './cluster.ts'
import { type Plan, planOf, type Scenario, undisturbed } from './plan.ts'
import type { Run } from './run.ts'

const NAMES = ['bank-a', 'bank-b', 'bank-c', 'bank-d', 'bank-e'].map(organisationId)
const ADAPTIVE = { quantile: 0.5, rate: 0.5 }
/** Twice as long as no update here is. */
const FROM = 4
const SHARED = { unit: 'organisation', mechanism: 'distributed-discrete-gaussian', epsilon: 8, delta: 1e-5, clip: FROM }

let kernels: Kernels
beforeAll(() => {
  kernels = loadKernels()
})

function planFor(
  seed: string,
  protection: Scenario['protection'],
  privacy: Record<string, number | string> | null,
): Plan {
  const { private: _, ...plan } = planOf(seed)
  const healthy = { clockSkewMs: 0, crashes: [] }
  return {
    ...plan,
    ...{ departure: null, partitions: [], deadlineMs: 1_200_000, sealTimeoutMs: 900_000, phaseMs: 900_000 },
    nodes: Object.fromEntries(NAMES.map((name, i) => [name, i === 0 ? plan.hub : healthy])),
    scenario: {
      ...{ ...plan.scenario, organisations: NAMES, rounds: 4, strategy: 'fedavg' as const, proximalMu: 0, protection },
      ...{ clipNorm: privacy === null ? FROM : null, clipAdaptive: ADAPTIVE },
    },
    ...(privacy && { private: { privacy, trainings: 1, limit: { epsilon: 8.01, delta: 1.1e-5 }, clockJumpMs: 0 } }),
  }
}

const recordsOf = ({ provenance }: Block) =>
  (provenance.privacy_params as unknown as { stages: readonly StageRecord[] }).stages
const clipIn = (block: Block): number => recordsOf(block).find(({ stage }) => stage === 'clip')?.norm_max ?? Number.NaN
const shareIn = (block: Block): number => Number(block.aggregation_metrics['unclipped'])

function roundsOf(run: Run): Block[] {
  expect(run.unfinished).toEqual([])
  const faults = [...checkCountedOnce(run), ...checkHidden(run), ...checkOneLedger(run)]
  expect(faults).toEqual([])
  return blocksOf(run).filter(({ provenance }) => provenance.participants.length > 0)
}

/** Each clip is that of the block before, moved by the share that the block before names. */
function expectChained(blocks: readonly Block[]): void {
  expect(blocks).toHaveLength(4)
  let clip = FROM
  for (const block of blocks) {
    expect(clipIn(block)).toBeCloseTo(clip, 12)
    clip = nextClip(clip, shareIn(block), ADAPTIVE)
  }
}

/** The share in the block, from the counts that its participants keep. */
function expectCounted(run: Run, block: Block): void {
  const names = block.provenance.participants.map(({ org_id }) => organisationId(org_id))
  const grid = gridOf(block) ?? expect.fail('no grid')
  const { sum, totalWeight } = sumOfHidden(run, block, grid, names) ?? expect.fail('an update is missing')
  const mean = ((sum.at(-1) ?? 0) * (grid.clip / grid.levels) * grid.weightMax) / totalWeight
  const share = Math.min(1, Math.max(0, mean / (clipIn(block) / 2) + 1 / 2))
  expect(shareIn(block)).toBeCloseTo(share, 6)
}

describe('a clip that follows the updates, round by round', () => {
  it.each([['calm'], ['crashes 1'], ['crashes 2']])(
    'shrinks under secure aggregation as the hidden counts say, while no update is clipped: %s',
    { timeout: 120_000 },
    async (seed) => {
      const plan = planFor(seed, 'secagg', null)
      const run = await runCluster({ plan: seed === 'calm' ? undisturbed(plan) : plan, kernels })
      const blocks = roundsOf(run)
      expectChained(blocks)
      for (const block of blocks) expectCounted(run, block)
      expect(shareIn(blocks[0] as Block)).toBeCloseTo(1, 6)
      expect(clipIn(blocks[1] as Block)).toBeCloseTo(FROM * Math.exp(-0.25), 5)
    },
  )

  it.each([
    ['all', undefined],
    ['a third', { method: 'random-k' as const, fraction: 1 / 3, errorFeedback: true }],
  ])(
    'goes with noise that organisations share, whose guarantee does not change with the clip: %s of the update',
    async (_, sparsify) => {
      const plan = planFor('crashes 3', 'secagg', SHARED)
      const scenario = { ...plan.scenario, ...(sparsify && { sparsify }) }
      const run = await runCluster({ plan: { ...plan, scenario }, kernels })
      const blocks = roundsOf(run)
      expectChained(blocks)
      for (const block of blocks) expectCounted(run, block)
      const ratios = blocks.map((block) => {
        const { deviation, sensitivity } = recordsOf(block).find(({ stage }) => stage === 'noise')?.parameters ?? {}
        return (Number(sensitivity) / Number(deviation)).toPrecision(12)
      })
      expect(new Set(ratios).size).toBe(1)
      const last = blocks.at(-1) ?? expect.fail('no block')
      const { epsilon } = last.provenance.privacy_params as unknown as { epsilon: number }
      expect(epsilon).toBeLessThanOrEqual(8 + 1e-4)
      expect(epsilon).toBeGreaterThan(7.9)
    },
  )

  it('follows what organisations declare where updates are in the clear', async () => {
    const run = await runCluster({ plan: undisturbed(planFor('clear', 'plain', null)), kernels })
    const blocks = roundsOf(run)
    expectChained(blocks)
    const [first] = blocks as [Block]
    const counts = NAMES.map((name) => trainedBy(run, name, first.provenance.round_id)?.count)
    expect(counts).toEqual(NAMES.map(() => FROM / 4))
    expect(shareIn(first)).toBe(1)
  })

  it('is believed by no organisation where it does not follow from the ledger', async () => {
    const run = await runCluster({ plan: undisturbed(planFor('lie', 'plain', null)), kernels, tampering: doubledClip })
    const rounds = blocksOf(run).filter(({ provenance }) => provenance.participants.length > 0)
    expect(rounds.map(clipIn)).toEqual([FROM])
    const reasons = run.organisations.flatMap(({ tables }) =>
      [...tables.streams].filter(([id]) => id.startsWith('participant/')).map(([, { state }]) => JSON.stringify(state)),
    )
    expect(reasons.filter((state) => state.includes('by the block before it is')).length).toBeGreaterThanOrEqual(5)
  })
})

/** A hub that announces twice the clip from the second round on. */
const doubledClip: Tampering = {
  ports: (ports, { name }) => (name === 'hub' ? { ...ports, jobs: announcingDouble(ports.jobs) } : ports),
}

function announcingDouble(jobs: Jobs): Jobs {
  return { ...jobs, start: (handler) => jobs.start((job) => handler(withDouble(job))) }
}

function withDouble(job: Job): Job {
  const effect = job.effect as RoundEffect
  if (effect.type !== 'announce' || effect.announcement.round === 1) return job
  const { config } = effect.announcement
  const lie = { ...config, clipNorm: 2 * (config.clipNorm ?? 1) }
  return { ...job, effect: { ...effect, announcement: { ...effect.announcement, config: lie } } as never }
}
