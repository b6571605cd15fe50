/**
 * P4: what has left an organisation never costs more than its administrator allowed, all of it and for each purpose. Counted from what the hub holds of it,
 * by adding up the records of the stages: not from the organisation's own books, which are then compared.
 */

import { SPENDING } from '../../src/privacy/dp/budget.ts'
import type { Limit } from '../../src/privacy/dp/budget-state.ts'
import {
  composeCurves,
  concentratedCurve,
  epsilonOfCurve,
  RDP_ORDERS,
  sampledDiscreteGaussianCurve,
} from '../../src/privacy/dp/rdp.ts'
import type { TrainingConfig } from '../../src/learning/config.ts'
import { purposeOf } from '../../src/learning/purpose.ts'
import type { OpenedRound } from '../../src/learning/round-state.ts'
import { expectedStages, type StageRecord } from '../../src/learning/stages.ts'
import { type NodeRemains, recordsOf, type Run, stateOf, type Violation } from '../run.ts'

export interface Release {
  readonly round: string
  readonly digest: string
  readonly stages: readonly StageRecord[]
  /** As the hub's own record of the round has it. */
  readonly purpose: string
}

export function checkBudget(run: Run): Violation[] {
  const messages = run.organisations.flatMap((node) => [...overspent(run, node), ...unrecorded(run, node)])
  return messages.map((message) => ({ checker: 'P4', message }))
}

/**
 * Contributions and masked vectors in its name that the hub took, whatever became of the round. Two different ones of one round
 * are two releases.
 */
export function releasesOf(run: Run, organisation: string): Release[] {
  const found = new Map<string, Release>()
  for (const { header, body } of run.hub.tables.envelopes.values()) {
    const release = header.from === organisation ? releaseIn(run, header.type, body) : undefined
    if (release !== undefined) found.set(`${release.round}/${release.digest}`, release)
  }
  return [...found.values()]
}

function releaseIn(run: Run, type: string, body: unknown): Release | undefined {
  if (type === 'contribution') {
    const { round_id: round, encrypted_gradient: gradient } = body as {
      round_id: string
      encrypted_gradient: { blob: { digest: string }; stages: StageRecord[] }
    }
    return { round, digest: gradient.blob.digest, stages: gradient.stages, purpose: purposeOf(configIn(run, round)) }
  }
  if (type !== 'masking-input') return undefined
  const { round_id: round, body: input } = body as { round_id: string; body: { vector: string } }
  // Its noise is what the round asks for: a sum does not say what is in one of its terms.
  const config = configIn(run, round)
  return { round, digest: input.vector, stages: expectedStages(config), purpose: purposeOf(config) }
}

const configIn = (run: Run, round: string): TrainingConfig => (stateOf(run.hub, `round/${round}`) as OpenedRound).config

export function epsilonOfReleases(releases: readonly Release[], delta: number): number {
  return epsilonOfCurve(composeCurves([RDP_ORDERS.map(() => 0), ...releases.map(curveOf)]), delta)
}

function curveOf({ stages }: Release): number[] {
  const parameters = stages.find(({ stage, applied }) => stage === 'noise' && applied)?.parameters ?? {}
  const of = (name: string): number => Number(parameters[name])
  if (parameters['unit'] === 'organisation') {
    // A share counts with those of the fewest honest survivors; whole noise is that of one.
    const variance = of('deviation') ** 2 * (parameters['survivors'] === undefined ? 1 : of('survivors'))
    const curve = concentratedCurve(of('sensitivity') ** 2 / (2 * variance))
    // Corollary 3.6 of Agarwal, Kairouz and Liu 2021, at the next whole order and with steps of 512 and more.
    return parameters['mechanism'] === 'distributed-skellam'
      ? curve.map((value, i) => (value * (Math.ceil(RDP_ORDERS[i] ?? 2) + 0.01)) / (RDP_ORDERS[i] ?? 2))
      : curve
  }
  const [samplingRate, noiseMultiplier, steps] = [of('sampling_rate'), of('noise_multiplier'), of('steps')]
  // Without a record of noise there is none: then no epsilon is large enough.
  if (parameters['unit'] !== 'example') return RDP_ORDERS.map(() => Number.POSITIVE_INFINITY)
  return sampledDiscreteGaussianCurve({ samplingRate, noiseMultiplier, steps })
}

function overspent(run: Run, { name }: NodeRemains): string[] {
  const limit = run.plan.private?.limit
  if (limit === undefined) return []
  const releases = releasesOf(run, name)
  const ofPurposes = Object.entries(limit.purposes ?? {}).flatMap(([purpose, part]) => {
    const own = releases.filter((release) => release.purpose === purpose)
    return beyond(`${name} for "${purpose}"`, own, part)
  })
  return [...beyond(name, releases, limit), ...ofPurposes]
}

function beyond(who: string, releases: readonly Release[], limit: Limit): string[] {
  const epsilon = epsilonOfReleases(releases, limit.delta)
  if (epsilon <= limit.epsilon) return []
  return [
    `${who} released ${releases.length} contributions at epsilon ${epsilon.toFixed(3)} of ${limit.epsilon.toFixed(3)}`,
  ]
}

/** What left is in its own books, and no round left twice with different noise. */
function unrecorded(run: Run, node: NodeRemains): string[] {
  const releases = releasesOf(run, node.name)
  const recorded = recordsOf(node, SPENDING)
  const rounds = releases.map(({ round }) => round)
  return [
    ...releases
      .filter(({ round }) => !recorded.has(round))
      .map(({ round }) => `${node.name} released ${round} and has no record of having spent for it`),
    ...rounds
      .filter((round, i) => rounds.indexOf(round) !== i)
      .map((round) => `${node.name} answered ${round} twice, with different noise`),
    ...run.unspent
      .filter((line) => line.startsWith(`${node.name}/`))
      .map((line) => `${line} left before it was spent for`),
  ]
}
