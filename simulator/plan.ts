/** What a seed means: the federation, its training, and everything that will go wrong. */

import { type OrganisationId, organisationId } from '../src/base/ids.ts'
import { type Prng, prng } from '../src/base/prng.ts'
import type { StrategyName } from '../src/learning/config.ts'
import type { Protection } from '../src/learning/masking-config.ts'
import type { RobustRuleName } from '../src/learning/robust/config.ts'
import type { SparsifyConfig } from '../src/learning/sparsify.ts'
import type { JobFaults } from './fakes/jobs.ts'
import { CALM, type NetworkFaults } from './fakes/network.ts'
import type { StoreFaults } from './fakes/store.ts'
import type { PrivatePlan } from './private-plan.ts'

/** What is trained: two runs with equal scenarios must give equal models. */
export interface Scenario {
  readonly organisations: readonly OrganisationId[]
  readonly rounds: number
  readonly strategy: StrategyName
  readonly proximalMu: number
  readonly clipNorm: number | null
  /** The clip follows the updates. */
  readonly clipAdaptive?: { readonly quantile: number; readonly rate: number }
  readonly protection: Protection
  readonly trainingSeed: string
  /** Which part of an update leaves; absent = all of it. */
  readonly sparsify?: SparsifyConfig
  /** The rule that takes the place of the mean; absent = the mean. */
  readonly robust?: { readonly rule: RobustRuleName; readonly f: number }
}

export interface NodePlan {
  /** How far the node's clock is off. */
  readonly clockSkewMs: number
  /** Where each run of the program ends; it lives on after the last. */
  readonly crashes: readonly Crash[]
}

export interface Crash {
  /** Kind of boundary, as its label begins; empty = any. */
  readonly boundary: string
  /** How many such boundaries the process survives after its start. */
  readonly survives: number
  /** For how long the machine stays down. */
  readonly downMs: number
}

export interface PlannedPartition {
  readonly organisation: OrganisationId
  readonly fromMs: number
  readonly untilMs: number
}

export interface Departure {
  readonly organisation: OrganisationId
  readonly afterMs: number
}

export interface Plan {
  readonly seed: string
  readonly scenario: Scenario
  /** When everything stops going wrong, after the start. */
  readonly quietAfterMs: number
  readonly deadlineMs: number
  readonly sealTimeoutMs: number
  /** Of a phase of secure aggregation. */
  readonly phaseMs: number
  readonly trainingMsMax: number
  /** An organisation that leaves the federation, perhaps in the middle of a round. */
  readonly departure: Departure | null
  /** Probability that a letter of the hub is followed by a forged contribution. */
  readonly forgery: number
  readonly network: NetworkFaults
  readonly partitions: readonly PlannedPartition[]
  readonly store: StoreFaults
  readonly jobs: JobFaults
  readonly hub: NodePlan
  readonly nodes: Readonly<Record<string, NodePlan>>
  /** Differential privacy, for the checker of P4. */
  readonly private?: PrivatePlan
}

const STRATEGIES: readonly StrategyName[] = ['fedavg', 'fedprox', 'fedavgm', 'fedadam', 'fedyogi', 'fedadagrad']
const CRASHES_MAX = 4

/** Kinds of boundary, with the number of them that a node passes in a run, in round figures. */
const BOUNDARIES: readonly (readonly [string, number])[] = [
  ['', 2000],
  ['begin', 100],
  ['before commit', 100],
  ['before fsync', 100],
  ['after commit', 100],
  ['before effect', 30],
  ['after effect', 30],
  ['before blob commit', 6],
  ['after blob commit', 6],
  ['upload', 20],
  ['uploaded', 12],
  ['send', 100],
  ['answer', 100],
  ['train', 4],
  ['before commit: round/', 12],
  ['before fsync: round/', 12],
  ['before commit: ledger', 12],
  ['before fsync: ledger', 12],
  ['before fsync: registry', 8],
  ['before fsync: participant/', 12],
  ['before fsync: replica', 4],
]

function pick<T>(random: Prng, items: readonly T[]): T {
  return items[random.below(items.length)] as T
}

/** Log-uniform in 1..max: early boundaries, those of recovery among them, are hit as often as late ones. */
function spread(random: Prng, max: number): number {
  return Math.ceil(max ** random.uniform())
}

function scenarioOf(seed: string, random: Prng): Scenario {
  const strategy = pick(random, STRATEGIES)
  return {
    organisations: ['bank-a', 'bank-b', 'bank-c', 'bank-d', 'bank-e'].slice(0, 3 + random.below(3)).map(organisationId),
    rounds: 2 + random.below(2),
    strategy,
    proximalMu: strategy === 'fedprox' ? 0.1 : 0,
    // Few scenarios, so that the undisturbed runs can be shared.
    clipNorm: strategy === 'fedavgm' ? 0.5 : null,
    protection: prng(`protection/${seed}`).uniform() < 0.5 ? 'secagg' : 'plain',
    trainingSeed: `training with ${strategy}`,
  }
}

function crashOf(random: Prng): Crash {
  const [boundary, passed] = pick(random, BOUNDARIES)
  return { boundary, survives: spread(random, passed) - 1, downMs: spread(random, 60_000) }
}

function nodePlanOf(random: Prng): NodePlan {
  return {
    clockSkewMs: Math.round((random.uniform() - 0.5) * 20_000),
    crashes: Array.from({ length: random.below(CRASHES_MAX) }, () => crashOf(random)),
  }
}

function partitionsOf(
  random: Prng,
  organisations: readonly OrganisationId[],
  quietAfterMs: number,
): PlannedPartition[] {
  return Array.from({ length: random.below(4) }, () => {
    const fromMs = random.uniform() * quietAfterMs
    return { organisation: pick(random, organisations), fromMs, untilMs: fromMs + spread(random, 120_000) }
  })
}

function departureOf(random: Prng, { organisations }: Scenario, quietAfterMs: number): Departure {
  return { organisation: pick(random, organisations), afterMs: random.uniform() * quietAfterMs }
}

export function planOf(seed: string): Plan {
  const random = prng(`plan/${seed}`)
  const scenario = scenarioOf(seed, random)
  const quietAfterMs = 60_000 + random.below(240_000)
  const hasty = random.uniform() < 0.25
  return {
    seed,
    scenario,
    quietAfterMs,
    // Some deadlines are so short that stragglers come late; most leave everybody the time to come back.
    deadlineMs: hasty ? 20_000 + random.below(60_000) : 1_200_000,
    sealTimeoutMs: hasty ? 15_000 : 900_000,
    phaseMs: hasty ? 15_000 : 900_000,
    trainingMsMax: 5000,
    departure: random.uniform() < 0.15 ? departureOf(random, scenario, quietAfterMs) : null,
    forgery: random.uniform() * 0.5,
    network: {
      loss: random.uniform() * 0.2,
      duplicate: random.uniform() * 0.2,
      delayMs: spread(random, 400),
      torn: random.uniform() * 0.2,
    },
    partitions: partitionsOf(random, scenario.organisations, quietAfterMs),
    store: { serialisationFailure: random.uniform() * 0.1 },
    jobs: { duplicate: random.uniform() * 0.2, delayMsMax: spread(random, 500) },
    hub: nodePlanOf(random),
    nodes: Object.fromEntries(scenario.organisations.map((organisation) => [organisation, nodePlanOf(random)])),
  }
}

/** The same scenario with nothing going wrong. */
export function undisturbed(plan: Plan): Plan {
  const healthy: NodePlan = { clockSkewMs: 0, crashes: [] }
  return {
    ...plan,
    quietAfterMs: 0,
    departure: null,
    forgery: 0,
    network: CALM,
    partitions: [],
    store: { serialisationFailure: 0 },
    jobs: { duplicate: 0, delayMsMax: 5 },
    hub: healthy,
    nodes: Object.fromEntries(plan.scenario.organisations.map((organisation) => [organisation, healthy])),
  }
}
