import { beforeAll, describe, expect, it } from 'vitest'
import { organisationId } from '../src/base/ids.ts'
import type { Kernels } from '../src/models/kernels/kernels.ts'
import { loadKernels } from '../src/node/kernels.ts'
import { blocksOf } from './checkers/blocks.ts'
import { checkForgotten } from './checkers/forgotten.ts'
import { runCluster } from './cluster.ts'
import { keepBlobs } from './planted.ts'
import { type Plan, planOf, undisturbed } from './plan.ts'

const NAMES = ['bank-a', 'bank-b', 'bank-c'].map(organisationId)
const ROUNDS = 3

let kernels: Kernels
beforeAll(() => {
  kernels = loadKernels()
})

/** Every organisation dies twice at the boundary, at its first chance and at a later one. */
function planFor(boundary: string, protection: 'plain' | 'secagg', method: 'top-k' | undefined): Plan {
  const { scenario, ...plan } = undisturbed(planOf('forgetting'))
  const crashes = [0, 2].map((survives) => ({ boundary, survives, downMs: 5000 }))
  const sparsify = method === undefined ? {} : { sparsify: { method, fraction: 0.2, errorFeedback: true } }
  return {
    ...plan,
    scenario: { ...scenario, organisations: NAMES, rounds: ROUNDS, protection, ...sparsify },
    quietAfterMs: 1_200_000,
    deadlineMs: 1_200_000,
    sealTimeoutMs: 900_000,
    phaseMs: 900_000,
    nodes: Object.fromEntries(NAMES.map((name) => [name, { clockSkewMs: 0, crashes }])),
  }
}

describe('an organisation that dies while it forgets a round', () => {
  for (const boundary of [
    'before effect',
    'before blob removal',
    'after blob removal',
    'before commit: round-blob/',
    'after commit: round-blob/',
    'after commit: residual/',
  ])
    it.each([
      ['plain', undefined],
      ['secagg', undefined],
      ['secagg', 'top-k'],
    ] as const)(
      `keeps models and what the next round needs, and nothing else: ${boundary}, %s %s`,
      { timeout: 60_000 },
      async (protection, method) => {
        const run = await runCluster({ plan: planFor(boundary, protection, method), kernels })
        expect(run.unfinished).toEqual([])
        expect(blocksOf(run)).toHaveLength(1 + ROUNDS)
        expect(checkForgotten(run)).toEqual([])
        const crashes = run.organisations.reduce((sum, node) => sum + node.crashes, 0)
        expect(crashes).toBe(boundary.includes('residual') && method === undefined ? 0 : 2 * NAMES.length)
      },
    )

  it('is found out if it does not', async () => {
    const run = await runCluster({ plan: planFor('begin', 'secagg', 'top-k'), kernels, tampering: keepBlobs })
    // Updates and vectors of all rounds, and of three residuals the one that no round starts from any more.
    expect(checkForgotten(run).length).toBeGreaterThanOrEqual(NAMES.length * (2 * ROUNDS + 1))
  })
})
