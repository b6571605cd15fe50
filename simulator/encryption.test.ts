import { beforeAll, describe, expect, it } from 'vitest'
import { organisationId } from '../src/base/ids.ts'
import type { MaskedSum, RoundState } from '../src/learning/round-state.ts'
import type { Kernels } from '../src/models/kernels/kernels.ts'
import { loadKernels } from '../src/node/kernels.ts'
import { dealNewCkks, openCkks } from '../src/node/homomorphic/ckks.ts'
import type { SchemeKind } from '../src/privacy/homomorphic/scheme.ts'
import { dealHybridForTest, openHybridForTest } from '../src/privacy/homomorphic/hybrid/fixtures.ts'
import { dealForTest, openForTest } from '../src/privacy/homomorphic/paillier/fixtures.ts'
import { signedIntegers } from '../src/privacy/masking/quantise.ts'
import { blocksOf } from './checkers/blocks.ts'
import { checkForgotten } from './checkers/forgotten.ts'
import { checkHidden } from './checkers/hidden.ts'
import { checkOneLedger } from './checkers/one-ledger.ts'
import { sumOfHidden } from './checkers/updates.ts'
import { runCluster } from './cluster.ts'
import { type Plan, planOf, undisturbed } from './plan.ts'
import { stateOf } from './run.ts'

const NAMES = ['bank-a', 'bank-b', 'bank-c', 'bank-d'].map(organisationId)
const request = { organisations: NAMES, threshold: 3, levels: 32_767, contributionsMax: NAMES.length }

let kernels: Kernels
beforeAll(() => {
  kernels = loadKernels()
})

/** Four organisations under one key; no more goes wrong than a crash of one of them. */
function planFor(seed: string, protection: SchemeKind): Plan {
  const plan = planOf(seed)
  const healthy = { clockSkewMs: 0, crashes: [] }
  return {
    ...plan,
    deadlineMs: 1_200_000,
    sealTimeoutMs: 900_000,
    phaseMs: 900_000,
    departure: null,
    partitions: [],
    nodes: Object.fromEntries(NAMES.map((name, i) => [name, i === 0 ? plan.hub : healthy])),
    scenario: {
      ...plan.scenario,
      organisations: NAMES,
      rounds: 1,
      strategy: 'fedavg',
      proximalMu: 0,
      clipNorm: null,
      protection,
    },
  }
}

function planOfCase(seed: string, protection: SchemeKind): Plan {
  if (seed.startsWith('crashes')) return planFor(seed, protection)
  const plan = undisturbed(planFor(seed, protection))
  if (seed === 'calm') return plan
  const sparsify = { method: 'random-k', fraction: 0.2, errorFeedback: true } as const
  return { ...plan, scenario: { ...plan.scenario, sparsify } }
}

const [direct, keys, ckks] = ['under Paillier of updates', 'under Paillier of keys', 'under CKKS'] as const
type Kind = typeof direct | typeof keys | typeof ckks

async function keyFor(kind: Kind) {
  const dealt =
    kind === ckks ? await dealNewCkks(request) : kind === keys ? dealHybridForTest(request) : dealForTest(request)
  const open = { [direct]: openForTest, [keys]: openHybridForTest, [ckks]: openCkks }[kind]
  const shares = new Map(dealt.shares.map(({ organisation, share }) => [organisation, share]))
  return { scheme: await open(dealt.parameters), shares }
}

describe('rounds under encryption', () => {
  it.each([
    ['calm', direct],
    ['crashes 1', direct],
    ['calm', keys],
    ['crashes 1', keys],
    ['a part of the coordinates', keys],
    ['calm', ckks],
    ['a part of the coordinates', ckks],
  ] as const)(
    'open exactly the sum of what organisations keep at home, and the block says so: %s, %s',
    { timeout: 240_000 },
    async (seed, kind) => {
      const { scheme, shares } = await keyFor(kind)
      const run = await runCluster({ plan: planOfCase(seed, scheme.kind), kernels, encryption: { scheme, shares } })
      expect(run.unfinished).toEqual([])
      const [block] = blocksOf(run).filter(({ provenance }) => provenance.participants.length > 0)
      if (block === undefined) return expect.fail('no block')
      expect(block.provenance.participants).toHaveLength(4)
      const { stages } = block.provenance.privacy_params as unknown as { stages: readonly object[] }
      expect(stages).toContainEqual(
        expect.objectContaining({
          stage: 'encrypt',
          applied: true,
          parameters: { scheme: scheme.kind, key: scheme.parameters, threshold: 3, quorum: 3, invited: 4, members: 4 },
        }),
      )
      const state = stateOf(run.hub, `round/${block.provenance.round_id}`) as RoundState & { masked: MaskedSum[] }
      const [{ sum, facts }] = state.masked as [MaskedSum]
      const hidden = sumOfHidden(run, block, facts, NAMES) ?? expect.fail('an update is missing')
      const opened = signedIntegers(run.hub.blobs.get(sum) ?? new Uint8Array(), 32)
      expect([...opened]).toEqual([...hidden.sum])
      expect(opened).toHaveLength(seed.startsWith('a part') ? 7 : 31)
      expect([...checkHidden(run), ...checkForgotten(run), ...checkOneLedger(run)]).toEqual([])
    },
  )
})
