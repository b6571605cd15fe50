/**
 * Organisations that lie about what they learned, in the troubled federation of the simulator: they keep to the protocol,
 * sign what they send, and send something else than they trained.
 */

import { type OrganisationId, organisationId } from '../../src/base/ids.ts'
import type { RobustRuleName } from '../../src/learning/robust/config.ts'
import type { Kernels } from '../../src/models/kernels/kernels.ts'
import type { Trainer } from '../../src/node/ports.ts'
import { runCluster, type Tampering } from '../cluster.ts'
import { type Plan, planOf, undisturbed } from '../plan.ts'
import type { Run } from '../run.ts'

/** What is sent in place of an update; a function of its arguments, since a node that dies repeats its work. */
export type Falsify = (update: Float32Array, seed: string) => Float32Array

const named = (count: number): OrganisationId[] => Array.from({ length: count }, (_, i) => organisationId(`bank-${i}`))
export const ORGANISATIONS = named(7)
/** Three buckets of three. */
export const IN_BUCKETS = named(9)
const ROUNDS = 4

/** The troubles of a seed, with seven organisations that all have the time to come back. */
export function byzantinePlan(seed: string, rule: RobustRuleName, liars: number): Plan {
  const plan = planOf(seed)
  const first = Object.values(plan.nodes)
  const nodes = Object.fromEntries(ORGANISATIONS.map((name, i) => [name, first[i] ?? { clockSkewMs: 0, crashes: [] }]))
  return {
    ...plan,
    nodes,
    departure: null,
    deadlineMs: 1_200_000,
    sealTimeoutMs: 900_000,
    scenario: {
      ...plan.scenario,
      organisations: ORGANISATIONS,
      rounds: ROUNDS,
      strategy: 'fedavg',
      proximalMu: 0,
      clipNorm: null,
      protection: 'plain',
      trainingSeed: 'byzantine',
      robust: { rule, f: liars },
    },
  }
}

/** Updates hidden in buckets, and nothing else going wrong: with so few, whoever is missing takes its bucket along. */
export function bucketPlan(seed: string, rule: RobustRuleName): Plan {
  const plan = undisturbed(byzantinePlan(seed, rule, 1))
  return { ...plan, scenario: { ...plan.scenario, organisations: IN_BUCKETS, protection: 'secagg' } }
}

/** A trainer that trains as it should, and answers with something else. */
export function lying(trainer: Trainer, falsify: Falsify): Trainer {
  return {
    ...trainer,
    async train(request) {
      const { parameters, summary } = await trainer.train(request)
      const base = request.parameters
      const sent = falsify(
        parameters.map((value, i) => value - (base[i] ?? 0)),
        request.seed,
      )
      return { parameters: sent.map((value, i) => value + (base[i] ?? 0)), summary }
    },
  }
}

export interface ByzantineOptions {
  readonly plan: Plan
  readonly kernels: Kernels
  readonly liars: readonly OrganisationId[]
  readonly falsify: Falsify
  readonly tampering?: Tampering
}

export function runByzantine({ plan, kernels, liars, falsify, tampering }: ByzantineOptions): Promise<Run> {
  const trainer: NonNullable<Tampering['trainer']> = (organisation, honest) =>
    liars.includes(organisation) ? lying(honest, falsify) : honest
  return runCluster({ plan, kernels, tampering: { ...tampering, trainer } })
}

/** The same with nobody lying and nothing going wrong. */
export function runHonest(plan: Plan, kernels: Kernels): Promise<Run> {
  return runCluster({ plan: undisturbed(plan), kernels })
}
