import { beforeAll, describe, expect, it } from 'vitest'
import { EntenteError } from '../src/base/errors.ts'
import { organisationId } from '../src/base/ids.ts'
import type { Kernels } from '../src/models/kernels/kernels.ts'
import { loadKernels } from '../src/node/kernels.ts'
import type { Trainer } from '../src/node/ports.ts'
import { blocksOf } from './checkers/blocks.ts'
import { checkForgotten } from './checkers/forgotten.ts'
import { checkHidden } from './checkers/hidden.ts'
import { checkOneLedger } from './checkers/one-ledger.ts'
import { runCluster } from './cluster.ts'
import { type Plan, planOf } from './plan.ts'
import { stateOf } from './run.ts'

const NAMES = ['bank-a', 'bank-b', 'bank-c', 'bank-d', 'bank-e'].map(organisationId)
const WITHOUT_DATA = new Set(NAMES.slice(3))
const ROUNDS = 2

let kernels: Kernels
beforeAll(() => {
  kernels = loadKernels()
})

const withoutData: Trainer = {
  async train() {
    throw new EntenteError('no-data', 'there are no labels')
  },
}

/** Five organisations with secure aggregation, two of which have nothing to learn from; nodes crash as the seed says. */
function planFor(seed: string): Plan {
  const plan = planOf(seed)
  const scenario = { ...plan.scenario, organisations: NAMES, rounds: ROUNDS, protection: 'secagg' as const }
  const nodes = Object.fromEntries(
    NAMES.map((name, i) => [name, { clockSkewMs: 0, crashes: i === 0 ? plan.hub.crashes : [] }]),
  )
  const patient = { deadlineMs: 1_200_000, sealTimeoutMs: 900_000, phaseMs: 900_000 }
  return { ...plan, ...patient, departure: null, partitions: [], nodes, scenario }
}

describe('a training with secure aggregation in which two of five have nothing to learn from', () => {
  it.each(['1', '2', '3', '4', '5', '6'])(
    'comes to as many models as were asked for, of the other three, hidden among each other: seed %s',
    { timeout: 120_000 },
    async (seed) => {
      const trainer = (organisation: (typeof NAMES)[number], honest: Trainer): Trainer =>
        WITHOUT_DATA.has(organisation) ? withoutData : honest
      const run = await runCluster({ plan: planFor(seed), kernels, tampering: { trainer } })
      expect(run.unfinished).toEqual([])
      const blocks = blocksOf(run).filter(({ provenance }) => provenance.participants.length > 0)
      const members = blocks.map(({ provenance }) => provenance.participants.map(({ org_id: name }) => name))
      expect(members).toEqual(Array(ROUNDS).fill(NAMES.slice(0, 3)))
      const [training] = [...run.hub.tables.streams.keys()].filter((stream) => stream.startsWith('training/'))
      expect(stateOf(run.hub, training ?? '')).toMatchObject({
        phase: 'done',
        roundsFinished: ROUNDS,
        declined: [...WITHOUT_DATA],
      })
      expect([...checkHidden(run), ...checkForgotten(run), ...checkOneLedger(run)]).toEqual([])
    },
  )
})
