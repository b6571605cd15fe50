import { beforeAll, describe, expect, it } from 'vitest'
import type { Json } from '../src/base/canonical.ts'
import { EntenteError } from '../src/base/errors.ts'
import { digestOf } from '../src/base/hash.ts'
import { organisationId, type OrganisationId } from '../src/base/ids.ts'
import type { MaskedSum, RoundState } from '../src/learning/round-state.ts'
import type { StageRecord } from '../src/learning/stages.ts'
import type { Block } from '../src/ledger/block.ts'
import type { Kernels } from '../src/models/kernels/kernels.ts'
import { loadKernels } from '../src/node/kernels.ts'
import type { Ports } from '../src/node/ports.ts'
import { signedIntegers } from '../src/privacy/masking/quantise.ts'
import { blocksOf } from './checkers/blocks.ts'
import { faultsWithNoise } from './checkers/noisy.ts'
import { sumOfHidden } from './checkers/updates.ts'
import { runCluster, type Tampering } from './cluster.ts'
import { type Plan, planOf } from './plan.ts'
import { type Run, stateOf } from './run.ts'

const NAMES = ['bank-a', 'bank-b', 'bank-c', 'bank-d'].map(organisationId)
const PRIVACY = { unit: 'organisation', mechanism: 'central-discrete-gaussian', epsilon: 2, delta: 1e-5, clip: 0.5 }
const SEEDS = 12
/** Where the hub dies around the sum: while it stores it, and before or after it remembers that it did. */
const DEATHS = ['after blob commit', 'before commit: unmasking/', 'before fsync: unmasking/', 'after effect'] as const

let kernels: Kernels
beforeAll(() => {
  kernels = loadKernels()
})

function planFor(seed: number): Plan {
  const plan = planOf(String(seed))
  const crash = {
    boundary: DEATHS[seed % DEATHS.length] ?? '',
    // The sum comes after some fifteen events of the masking.
    survives: seed % DEATHS.length === 3 ? 20 + seed : seed % DEATHS.length === 0 ? 0 : 12 + (seed % 8),
    downMs: 5_000,
  }
  const healthy = { clockSkewMs: 0, crashes: [] }
  return {
    ...plan,
    ...{ departure: null, phaseMs: 120_000, deadlineMs: 240_000, partitions: [] },
    hub: { clockSkewMs: 0, crashes: [crash, crash] },
    nodes: Object.fromEntries(NAMES.map((name) => [name, plan.nodes[name] ?? healthy])),
    scenario: {
      ...{ ...plan.scenario, organisations: NAMES, rounds: 2, strategy: 'fedavg' as const },
      ...{ proximalMu: 0, clipNorm: null, protection: 'secagg' as const },
    },
    private: { privacy: PRIVACY, trainings: 1, limit: { epsilon: 2.01, delta: 1.1e-5 }, clockJumpMs: 0 },
  }
}

/** A hub that stores the sum of each round and fails before it knows that it did, once: it sums again. */
function forgetfulHub(): { readonly tampering: Tampering; readonly summed: () => number } {
  const failed = new Set<string>()
  let [summing, summed] = ['', 0]
  const wrap = (ports: Ports): Ports => ({
    ...ports,
    jobs: {
      ...ports.jobs,
      start: (handler) =>
        ports.jobs.start(async (job) => {
          const { type, order } = job.effect as { type: string; order?: unknown }
          summing = type === 'unmask' ? digestOf(order as Json) : summing
          await handler(job)
        }),
    },
    blobs: {
      ...ports.blobs,
      async create() {
        const writer = await ports.blobs.create()
        const of = summing
        summing = ''
        if (of === '') return writer
        summed++
        return {
          ...writer,
          async commit(expected) {
            const stored = await writer.commit(expected)
            if (failed.has(of)) return stored
            failed.add(of)
            throw new EntenteError('unavailable', 'the hub fails after it stored the sum')
          },
        }
      },
    },
  })
  const tampering: Tampering = { ports: (ports, { name }) => (name === 'hub' ? wrap(ports) : ports) }
  return { tampering, summed: () => summed }
}

const stagesOf = ({ provenance }: Block) =>
  (provenance.privacy_params as unknown as { stages: readonly StageRecord[]; against: string }).stages
const noiseOf = (block: Block): number =>
  Number(stagesOf(block).find(({ stage }) => stage === 'noise')?.parameters?.['deviation'])
const survivorsOf = ({ provenance }: Block) => provenance.participants.map(({ org_id }) => org_id as OrganisationId)

const sumOf = (run: Run, roundId: string): MaskedSum | undefined =>
  (stateOf(run.hub, `round/${roundId}`) as RoundState & { masked?: MaskedSum[] }).masked?.[0]

/** What each stored vector of the hub that could be the sum of a round has more than what the survivors hold at home. */
function candidates(run: Run, block: Block): Map<string, Float64Array> {
  const { facts } = sumOf(run, block.provenance.round_id) ?? expect.fail('no sum')
  const { sum } = sumOfHidden(run, block, facts, survivorsOf(block)) ?? expect.fail('no updates at home')
  const differences = [...run.hub.blobs]
    .filter(([, { length }]) => length === 4 * sum.length)
    .map(([digest, bytes]) => [digest, signedIntegers(bytes, 32).map((value, i) => value - (sum[i] ?? 0))] as const)
  return new Map(differences.filter(([, one]) => one.every((value) => Math.abs(value) <= 20 * noiseOf(block))))
}

describe('noise that the hub adds to the sum, while it and others crash', () => {
  const totals = { blocks: 0, draws: 0, squares: 0, crashes: 0, summed: 0 }

  it(`is in the only sum that is ever stored, drawn once, and forgotten: seeds 1 to ${SEEDS}`, {
    timeout: 240_000,
  }, async () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const { tampering, summed } = forgetfulHub()
      const run = await runCluster({ plan: planFor(seed), kernels, tampering })
      totals.summed += summed()
      const faults = faultsWithNoise(run)
      expect({ seed, faults, unfinished: run.unfinished }).toEqual({ seed, faults: [], unfinished: [] })
      totals.crashes += run.hub.crashes
      const rounds = [...run.hub.tables.streams.keys()].filter((stream) => stream.startsWith('round/'))
      const reported = new Set<string | undefined>(
        rounds.map((stream) => sumOf(run, stream.slice('round/'.length))?.sum),
      )
      for (const block of blocksOf(run).filter(({ provenance }) => provenance.participants.length > 0)) {
        const found = candidates(run, block)
        const own = found.get(sumOf(run, block.provenance.round_id)?.sum ?? '') ?? expect.fail('the sum is not stored')
        // Nor can it be had again from what the hub keeps: without the shares that were revealed the vectors stay masked.
        const reveals = [...run.hub.tables.envelopes.values()].filter(({ header }) => header.type === 'masking-reveal')
        expect(reveals.length).toBeGreaterThanOrEqual(3)
        expect(reveals.every(({ body }) => body === null)).toBe(true)
        // Neither a sum without noise nor one with other noise: two of them would tell more than either.
        expect([...found.keys()].filter((digest) => !reported.has(digest))).toEqual([])
        expect([...found.values()].every((one) => one.some((value) => value !== 0))).toBe(true)
        expect(stateOf(run.hub, `noise-seed/${block.provenance.round_id}`)).toEqual({ sealed: null })
        expect(block.provenance.privacy_params).toMatchObject({
          against: 'everybody but the hub, which adds the noise',
        })
        totals.blocks++
        for (const value of own) {
          totals.draws++
          totals.squares += (value / noiseOf(block)) ** 2
        }
      }
    }
  })

  it('was as large as recorded', () => {
    expect(totals.blocks).toBeGreaterThan(SEEDS)
    expect(totals.crashes).toBeGreaterThan(SEEDS / 2)
    expect(totals.summed).toBeGreaterThanOrEqual(2 * totals.blocks)
    expect(Math.abs(totals.squares / totals.draws - 1)).toBeLessThan(6 * Math.sqrt(2 / totals.draws))
  })
})
