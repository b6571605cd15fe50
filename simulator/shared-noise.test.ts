import { beforeAll, describe, expect, it } from 'vitest'
import { organisationId, type OrganisationId } from '../src/base/ids.ts'
import type { MaskedSum, RoundState } from '../src/learning/round-state.ts'
import type { StageRecord } from '../src/learning/stages.ts'
import type { Block } from '../src/ledger/block.ts'
import type { Kernels } from '../src/models/kernels/kernels.ts'
import { loadKernels } from '../src/node/kernels.ts'
import { SPENDING } from '../src/privacy/dp/budget.ts'
import { signedIntegers } from '../src/privacy/masking/quantise.ts'
import { blocksOf } from './checkers/blocks.ts'
import { faultsWithNoise } from './checkers/noisy.ts'
import { losesSharers } from './checkers/reproducible.ts'
import { flatValues, sumOfHidden, trainedBy } from './checkers/updates.ts'
import { runCluster } from './cluster.ts'
import { type Plan, planOf } from './plan.ts'
import { recordsOf, type Run, stateOf } from './run.ts'

const NAMES = ['bank-a', 'bank-b', 'bank-c', 'bank-d', 'bank-e'].map(organisationId)
const PRIVACY = { unit: 'organisation', epsilon: 2, delta: 1e-5, clip: 0.5 }
const SEEDS = { 'distributed-discrete-gaussian': 16, 'distributed-skellam': 8 } as const

let kernels: Kernels
beforeAll(() => {
  kernels = loadKernels()
})

/** Five organisations that share the noise, and the troubles of the seed; or one that is gone for longer than a phase. */
function planFor(seed: string, mechanism: string): Plan {
  const plan = planOf(seed)
  const healthy = { clockSkewMs: 0, crashes: [] }
  const dies = Number(seed) % 2 === 0
  const crash = { boundary: 'before commit: masking/', survives: (Number(seed) / 2) % 6, downMs: 500_000 }
  const dying = { clockSkewMs: 0, crashes: [crash] }
  return {
    ...plan,
    departure: null,
    ...(dies ? { phaseMs: 120_000, deadlineMs: 240_000, partitions: [], hub: healthy } : {}),
    nodes: Object.fromEntries(
      NAMES.map((name, i) => [name, dies ? (i === 4 ? dying : healthy) : (plan.nodes[name] ?? healthy)]),
    ),
    scenario: {
      ...{ ...plan.scenario, organisations: NAMES, rounds: 2, strategy: 'fedavg' as const },
      ...{ proximalMu: 0, clipNorm: null, protection: 'secagg' as const },
    },
    private: {
      privacy: { ...PRIVACY, mechanism },
      trainings: 1,
      limit: { epsilon: 2.01, delta: 1.1e-5 },
      clockJumpMs: 0,
    },
  }
}

interface Said {
  readonly against: string
  readonly epsilon: number
  readonly stages: readonly StageRecord[]
}
const saidBy = ({ provenance }: Block) => provenance.privacy_params as unknown as Said
const parametersOf = (block: Block, stage: string): Record<string, number> =>
  (saidBy(block).stages.find((record) => record.stage === stage)?.parameters ?? {}) as Record<string, number>
const survivorsOf = ({ provenance }: Block) => provenance.participants.map(({ org_id }) => org_id as OrganisationId)

/** What the hub found, against the noisy integers that the survivors keep at home, added up as they are. */
function expectExact(run: Run, block: Block): void {
  const state = stateOf(run.hub, `round/${block.provenance.round_id}`) as RoundState & { masked: MaskedSum[] }
  const [{ sum, facts }] = state.masked as [MaskedSum]
  const found = signedIntegers(run.hub.blobs.get(sum) ?? new Uint8Array(), 32)
  expect([...found]).toEqual([...(sumOfHidden(run, block, facts, survivorsOf(block))?.sum ?? [])])
  const kept = survivorsOf(block).map((name) => integersOf(run, block, name))
  const total = kept.reduce((before, one) => before.map((value, i) => value + (one[i] ?? 0)))
  expect([...found]).toEqual([...total])
}

/** In steps of the grid that the block names. */
function integersOf(run: Run, block: Block, name: OrganisationId): Float64Array {
  const node = run.organisations.find((one) => one.name === name)
  const { digest } = trainedBy(run, name, block.provenance.round_id)?.update ?? { digest: '' }
  const step = 2 ** (parametersOf(block, 'quantise')['grid_exponent'] ?? Number.NaN)
  const integers = Float64Array.from(
    flatValues(node?.blobs.get(digest as never) ?? new Uint8Array()),
    (value) => value / step,
  )
  expect(integers.every((value) => Number.isInteger(value))).toBe(true)
  return integers
}

/** Each survivor has spent for what is in the sum, and nobody knows the seed of its noise any more. */
function expectSpentAndForgotten(run: Run, block: Block): void {
  const round = block.provenance.round_id
  for (const node of run.organisations.filter(({ name }) => survivorsOf(block).includes(name as OrganisationId))) {
    expect(recordsOf(node, SPENDING).has(round)).toBe(true)
    expect(stateOf(node, `noise-seed/${round}`)).toEqual({ sealed: null })
  }
}

describe.each(Object.entries(SEEDS))(
  'noise in shares, %s, while nodes crash and letters are lost',
  (mechanism, seeds) => {
    const totals = { blocks: 0, dropouts: 0, crashes: 0, draws: 0, squares: 0 }

    it(`is in the sum to the last step, spent for and forgotten: seeds 1 to ${seeds}`, {
      timeout: 240_000,
    }, async () => {
      for (let seed = 1; seed <= seeds; seed++) {
        const run = await runCluster({ plan: planFor(String(seed), mechanism), kernels })
        const faults = faultsWithNoise(run)
        expect({ seed, faults, unfinished: run.unfinished }).toEqual({ seed, faults: [], unfinished: [] })
        totals.crashes += run.organisations.reduce((sum, { crashes }) => sum + crashes, 0)
        for (const block of blocksOf(run).filter(({ provenance }) => provenance.participants.length > 0)) {
          expectExact(run, block)
          expectSpentAndForgotten(run, block)
          expect(saidBy(block).against).toBe('hub with up to 1 of 5 organisations')
          expect(saidBy(block).epsilon).toBeLessThanOrEqual(PRIVACY.epsilon + 1e-4)
          totals.blocks++
          if (losesSharers(block) || survivorsOf(block).length < NAMES.length) totals.dropouts++
          const { deviation = Number.NaN } = parametersOf(block, 'noise')
          for (const name of survivorsOf(block))
            for (const steps of integersOf(run, block, name)) {
              totals.draws++
              totals.squares += (steps / deviation) ** 2
            }
        }
      }
    })

    it('was as large as recorded, of rounds that lost somebody too', () => {
      // Updates are clipped to a fifth of a share in all coordinates together, so nearly all of it is noise.
      expect(Math.abs(totals.squares / totals.draws - 1)).toBeLessThan(6 * Math.sqrt(2 / totals.draws) + 0.01)
      expect(totals.blocks).toBeGreaterThan(seeds)
      expect(totals.dropouts).toBeGreaterThan(seeds / 4)
      expect(totals.crashes).toBeGreaterThan(seeds / 2)
    })
  },
)
