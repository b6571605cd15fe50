import { beforeAll, describe, expect, it } from 'vitest'
import { organisationId } from '../src/base/ids.ts'
import type { MaskedSum, RoundState } from '../src/learning/round-state.ts'
import type { Block } from '../src/ledger/block.ts'
import type { Kernels } from '../src/models/kernels/kernels.ts'
import { loadKernels } from '../src/node/kernels.ts'
import { signedIntegers } from '../src/privacy/masking/quantise.ts'
import { blocksOf } from './checkers/blocks.ts'
import { checkForgotten } from './checkers/forgotten.ts'
import { checkHidden } from './checkers/hidden.ts'
import { checkOneLedger } from './checkers/one-ledger.ts'
import { flatValues, sumOfHidden } from './checkers/updates.ts'
import { runCluster } from './cluster.ts'
import { type Plan, planOf, undisturbed } from './plan.ts'
import { type Run, stateOf } from './run.ts'

const NAMES = 'abcdefghij'.split('').map((letter) => organisationId(`bank-${letter}`))

let kernels: Kernels
beforeAll(() => {
  kernels = loadKernels()
})

/** Ten organisations in three buckets, whose means go through a median. */
function planFor(seed: string): Plan {
  const plan = planOf(seed)
  const healthy = plan.hub
  return {
    ...plan,
    deadlineMs: 1_200_000,
    sealTimeoutMs: 900_000,
    phaseMs: 900_000,
    departure: null,
    partitions: [],
    nodes: Object.fromEntries(NAMES.map((name, i) => [name, i === 0 ? healthy : { clockSkewMs: 0, crashes: [] }])),
    scenario: {
      ...plan.scenario,
      organisations: NAMES,
      rounds: 2,
      strategy: 'fedavg',
      proximalMu: 0,
      clipNorm: null,
      protection: 'secagg',
      robust: { rule: 'median', f: 1 },
    },
  }
}

/** Each bucket's sum at the hub against the plain sum of what its members keep; and the model against their median. */
function bucketFaults(run: Run, block: Block): string[] {
  const state = stateOf(run.hub, `round/${block.provenance.round_id}`) as RoundState & { masked: MaskedSum[] }
  const means = state.masked.map(({ sum, facts }) => {
    const names = facts.survivors.map(({ organisation }) => organisation)
    const hidden = sumOfHidden(run, block, facts, names) ?? expect.fail('an update is missing')
    const found = signedIntegers(run.hub.blobs.get(sum) ?? new Uint8Array(), facts.width)
    expect([...found]).toEqual([...hidden.sum])
    const factor = (facts.clip / facts.levels) * (facts.weightMax / hidden.totalWeight)
    return Float32Array.from(hidden.sum, (value) => value * factor)
  })
  const values = (digest: string) => flatValues(run.hub.blobs.get(digest as never) ?? new Uint8Array())
  const base = values(block.provenance.parent_model ?? '')
  const model = values(block.model_hash)
  const expected = base.map((value, i) => value + (means.map((mean) => mean[i] ?? 0).toSorted((a, b) => a - b)[1] ?? 0))
  return expected.every((value, i) => value === model[i]) ? [] : [`block ${block.height} is not the median`]
}

describe('a robust rule over buckets that are summed securely', () => {
  it.each(['calm', 'crashes 3', 'crashes 4', 'crashes 5'])(
    'is the median of the exact means of three buckets, seen by nobody: %s',
    { timeout: 120_000 },
    async (seed) => {
      const plan = seed === 'calm' ? undisturbed(planFor(seed)) : planFor(seed)
      const run = await runCluster({ plan, kernels })
      expect(run.unfinished).toEqual([])
      const blocks = blocksOf(run).filter(({ provenance }) => provenance.participants.length > 0)
      expect(blocks).toHaveLength(2)
      for (const block of blocks) {
        expect(block.provenance.participants).toHaveLength(10)
        const { buckets } = block.aggregation_metrics as unknown as { buckets: readonly (readonly number[])[] }
        expect(buckets.map((bucket) => bucket.length).toSorted()).toEqual([3, 3, 4])
        expect(bucketFaults(run, block)).toEqual([])
      }
      expect([...checkHidden(run), ...checkForgotten(run), ...checkOneLedger(run)]).toEqual([])
    },
  )
})
