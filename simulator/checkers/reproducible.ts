/**
 * P7: the events of each stream lead to its stored state, and the models of a disturbed run are those of the undisturbed
 * run of the same scenario with the same participants in each round.
 */

import { canonicalJson } from '../../src/base/canonical.ts'
import type { Machine } from '../../src/base/machine.ts'
import { PROTECTIONS } from '../../src/learning/masking-config.ts'
import { localSeed } from '../../src/learning/participant-moves.ts'
import { participantMachine } from '../../src/learning/participant.ts'
import { roundMachine } from '../../src/learning/round.ts'
import { sealedClient } from '../../src/node/organisation/masking.ts'
import { maskingServer } from '../../src/privacy/masking/server.ts'
import { trainingMachine } from '../../src/learning/training.ts'
import { validationMachine } from '../../src/learning/validation.ts'
import { replicaMachine } from '../../src/ledger/replica.ts'
import { ledgerMachine } from '../../src/ledger/sealing.ts'
import type { Kernels } from '../../src/models/kernels/kernels.ts'
import { publicKeyOf } from '../../src/base/signature.ts'
import { kindOf, replay } from '../../src/node/drive.ts'
import { registryMachine } from '../../src/registry/machine.ts'
import type { OrganisationId } from '../../src/base/ids.ts'
import { runCluster } from '../cluster.ts'
import { FEDERATION, HUB_IDENTITY, simulatedSecret } from '../keys.ts'
import { undisturbed } from '../plan.ts'
import type { StageRecord } from '../../src/learning/stages.ts'
import type { Block } from '../../src/ledger/block.ts'
import type { NodeRemains, Run, Violation } from '../run.ts'
import { blocksOf } from './blocks.ts'
import { MECHANISMS } from '../../src/learning/mechanisms.ts'

export type Reference = (run: Run) => Promise<readonly string[]>

export async function checkReproducible(run: Run, reference: Reference): Promise<Violation[]> {
  const messages = [run.hub, ...run.organisations].flatMap(replayFaults)
  if (blocksOf(run).some(losesSharers)) return named(messages)
  const [models, expected] = [modelsOf(run), await reference(run)]
  if (models.join() !== expected.join())
    messages.push(`the models are ${short(models)}, those of the undisturbed run ${short(expected)}`)
  return named(messages)
}

const named = (messages: readonly string[]): Violation[] => messages.map((message) => ({ checker: 'P7', message }))

/**
 * Whether somebody brought its keys and no vector. The grid of a masked round follows from who brought keys, so such a
 * round has no undisturbed equal; its model is computed again from the updates by counted-once.ts.
 */
export function losesSharers({ provenance }: Block): boolean {
  const { stages } = provenance.privacy_params as unknown as { readonly stages: readonly StageRecord[] }
  const members = stages.find(({ stage }) => stage === 'mask')?.parameters?.['members']
  return typeof members === 'number' && members !== provenance.participants.length
}

const short = (models: readonly string[]): string => models.map((model) => model.slice(0, 8)).join(' ')

const modelsOf = (run: Run): string[] => blocksOf(run).map((block) => block.model_hash)

function machinesOf(name: string): Machine<never, never, unknown>[] {
  if (name === 'hub')
    return [
      registryMachine,
      trainingMachine,
      roundMachine,
      validationMachine,
      maskingServer(),
      ledgerMachine({ origin: FEDERATION, hubSecret: HUB_IDENTITY.ledgerSecret }),
    ] as unknown as Machine<never, never, unknown>[]
  return [
    participantMachine({
      organisation: name as OrganisationId,
      accepts: PROTECTIONS,
      mechanisms: MECHANISMS,
      requirePrivacy: false,
    }),
    sealedClient({ organisation: name as OrganisationId, secret: simulatedSecret(name) }).machine,
    replicaMachine({ origin: FEDERATION, hubKey: publicKeyOf(HUB_IDENTITY.ledgerSecret) }),
  ] as unknown as Machine<never, never, unknown>[]
}

export function replayFaults(node: NodeRemains): string[] {
  const machines = new Map(machinesOf(node.name).map((machine) => [machine.kind, machine]))
  return [...node.tables.streams].flatMap(([id, { events, state }]) => {
    if (new Set(events.map((event) => event.id)).size < events.length)
      return [`${node.name}/${id} applied an event twice`]
    // Whatever led to this state was forgotten on purpose.
    if (events.some(({ event }) => Object.keys(event as object).length === 0)) return []
    const machine = machines.get(kindOf(id))
    if (machine === undefined) return [`${node.name} has a stream ${id} without a machine`]
    const replayed = replay(machine, id, events as unknown as readonly { event: never }[])
    return canonicalJson(replayed) === canonicalJson(state)
      ? []
      : [`the events of ${node.name}/${id} do not lead to its state`]
  })
}

/** Who is counted in which round: `round/organisation`. */
function participations(run: Run): Set<string> {
  const blocks = blocksOf(run)
  return new Set(
    blocks.flatMap(({ aggregation_metrics: { round }, provenance }) =>
      provenance.participants.map(({ org_id }) => `${round}/${org_id}`),
    ),
  )
}

/** Runs the scenario undisturbed, with just those participants; runs of equal scenarios are made once. */
export function createReference(kernels: Kernels): Reference {
  const known = new Map<string, Promise<readonly string[]>>()

  async function compute(run: Run): Promise<readonly string[]> {
    const present = participations(run)
    const { scenario } = run.plan
    const plan = { ...undisturbed(run.plan), deadlineMs: 1_200_000, sealTimeoutMs: 900_000, phaseMs: 900_000 }
    const rounds = Array.from({ length: scenario.rounds }, (_, i) => i + 1)
    const absent = new Set(
      rounds.flatMap((round) =>
        scenario.organisations
          .filter((organisation) => !present.has(`${round}/${organisation}`))
          .map((organisation) => localSeed({ seed: scenario.trainingSeed } as never, round, organisation)),
      ),
    )
    const calm = await runCluster({ plan, kernels, absent: (seed) => absent.has(seed) })
    return modelsOf(calm)
  }

  return (run) => {
    const key = canonicalJson([run.plan.scenario, [...participations(run)].toSorted(), blocksOf(run).length])
    const models = known.get(key) ?? compute(run)
    known.set(key, models)
    return models
  }
}
