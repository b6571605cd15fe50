/**
 * A federation in one process on virtual time: one hub and its organisations, built by the constructors of the product,
 * each on a machine of its own that may die at any boundary; an operator who invites them and starts a training; and a
 * forger who has stolen certificates but no keys.
 */

import type { Envelope } from '../src/base/envelope.ts'
import { EntenteError } from '../src/base/errors.ts'
import type { OrganisationId } from '../src/base/ids.ts'
import { PROTECTIONS } from '../src/learning/masking-config.ts'
import type { Kernels } from '../src/models/kernels/kernels.ts'
import { createHub, type Hub } from '../src/node/hub.ts'
import type { HomomorphicScheme } from '../src/privacy/homomorphic/scheme.ts'
import { SPENDING } from '../src/privacy/dp/budget.ts'
import { createOrganisation, type OrganisationNode } from '../src/node/organisation.ts'
import type { HubConnection, Mail, Ports, Trainer } from '../src/node/ports.ts'
import { forge } from './adversary.ts'
import type { Disk } from './fakes/disk.ts'
import { CALM, createConnection, createLine, type NetworkConditions } from './fakes/network.ts'
import { createProcess, type Process } from './fakes/process.ts'
import { createSleep } from './fakes/sleep.ts'
import type { Change } from './fakes/tables.ts'
import { createTrainer } from './fakes/trainer.ts'
import { HUB_IDENTITY, organisationIdentity, registrationOf } from './keys.ts'
import { createNode, type PortsWrapper, type SimulatedNode } from './node.ts'
import { depart, operate } from './operator.ts'
import type { Plan } from './plan.ts'
import type { Acknowledgement, Run } from './run.ts'
import { createScheduler, EPOCH_MS, type Scheduler } from './scheduler.ts'
import { unfinishedOf } from './unfinished.ts'
import { MECHANISMS } from '../src/learning/mechanisms.ts'

/** Planted bugs: each replaces something that the product is given. */
export interface Tampering {
  readonly ports?: PortsWrapper
  readonly disk?: (name: string, disk: Disk) => Disk
  readonly hub?: (hub: Hub) => Hub
  /** Organisations that lie about what they learned. */
  readonly trainer?: (organisation: OrganisationId, trainer: Trainer) => Trainer
  /** A hub that tells one organisation this and another that. */
  readonly connection?: (organisation: OrganisationId, connection: HubConnection) => HubConnection
}

export interface ClusterOptions {
  readonly plan: Plan
  readonly kernels: Kernels
  readonly tampering?: Tampering
  /** A key that everybody holds a share of. */
  readonly encryption?: {
    readonly scheme: HomomorphicScheme
    readonly shares: ReadonlyMap<OrganisationId, unknown>
  }
  /** Organisations that take no part in a round, by the seed of their local training. */
  readonly absent?: (seed: string) => boolean
}

/** Everything must be finished this long after things stop going wrong, unless the training itself takes longer. */
const QUIET_MS = 3_600_000

/** What takes an update, or a masked one, away from its organisation. */
const RELEASING: ReadonlySet<string> = new Set(['deliver contribution', 'deliver masking-input'])

/** A history of more events goes in circles; most have some ten thousand. */
const EVENTS_MAX = 1_000_000

export interface Cluster {
  readonly scheduler: Scheduler
  readonly plan: Plan
  readonly kernels: Kernels
  readonly hub: SimulatedNode<Hub>
  readonly organisations: ReadonlyMap<OrganisationId, SimulatedNode<OrganisationNode>>
  readonly conditions: NetworkConditions<Hub>
  /** Organisations that have left the federation. */
  readonly departed: Set<OrganisationId>
  /** Tokens of invitations, as organisations were given them out of band. */
  readonly tokens: Map<OrganisationId, string>
  readonly acknowledgements: Acknowledgement[]
  readonly overwritten: string[]
  readonly unspent: string[]
  chaos(): boolean
}

export function createCluster(options: ClusterOptions): Cluster {
  const { plan, kernels, tampering = {}, encryption } = options
  const scheduler = createScheduler(plan.seed)
  const quietAt = EPOCH_MS + plan.quietAfterMs
  const chaos = (): boolean => scheduler.now() < quietAt
  const acknowledgements: Acknowledgement[] = []
  const overwritten: string[] = []
  const unspent: string[] = []
  const tokens = new Map<OrganisationId, string>()
  const departed = new Set<OrganisationId>()

  const partitioned = (organisation: OrganisationId): boolean => {
    const now = scheduler.now() - EPOCH_MS
    return (
      chaos() &&
      plan.partitions.some((cut) => cut.organisation === organisation && cut.fromMs <= now && now < cut.untilMs)
    )
  }

  const conditions: NetworkConditions<Hub> = {
    faults: () => (chaos() ? plan.network : CALM),
    partitioned,
    hub: () => hub.app(),
    acknowledged: (organisation, request, detail, answer) => {
      acknowledgements.push(...acknowledgementsOf(organisation, request, detail, answer))
      if (RELEASING.has(request)) unspent.push(...unspentBy(cluster, organisation, detail as Envelope))
      if (request.startsWith('poll')) forge(cluster, organisation, answer as readonly Mail[])
    },
  }

  const common = {
    scheduler,
    plan,
    chaos,
    ...(tampering.ports === undefined ? {} : { wrap: tampering.ports }),
    ...(tampering.disk === undefined ? {} : { wrapDisk: tampering.disk }),
    observe: (name: string, changes: readonly Change[], node: { ledger: Map<string, string> }) =>
      overwritten.push(...overwrites(name, changes, node.ledger)),
  }

  const hub: SimulatedNode<Hub> = createNode<Hub>({
    ...common,
    name: 'hub',
    nodePlan: plan.hub,
    async start(ports) {
      const scheme = encryption?.scheme
      const built = createHub(ports, HUB_IDENTITY, {
        kernels,
        ...(scheme === undefined ? {} : { encryption: async () => scheme }),
      })
      await built.start()
      return tampering.hub?.(built) ?? built
    },
  })

  const startOrganisation = async (
    organisation: OrganisationId,
    ports: Ports,
    process: Process,
  ): Promise<OrganisationNode> => {
    const line = createLine(process, organisation, conditions)
    const sleep = createSleep(process)
    await join(organisation, line, sleep, ports, tokens)
    const honest = createTrainer(process, organisation, kernels, {
      durationMsMax: plan.trainingMsMax,
      ...(options.absent === undefined ? {} : { absent: options.absent }),
    })
    const trainer = tampering.trainer?.(organisation, honest) ?? honest
    const honestHub = createConnection(line, process, organisation, conditions)
    const connection = tampering.connection?.(organisation, honestHub) ?? honestHub
    const node = createOrganisation({ ...ports, connection, trainer, sleep }, organisationIdentity(organisation), {
      kernels,
      dataSources: ['zeek-tsv'],
      ...(plan.private === undefined ? {} : { privacyBudget: plan.private.limit }),
      accepts: PROTECTIONS,
      mechanisms: MECHANISMS,
      requirePrivacy: false,
      ...(encryption === undefined
        ? {}
        : { encryption: { scheme: encryption.scheme, share: encryption.shares.get(organisation) } }),
    })
    await node.start()
    void node.run(new AbortController().signal)
    return node
  }

  const organisations = new Map(
    plan.scenario.organisations.map((organisation) => [
      organisation,
      createNode<OrganisationNode>({
        ...common,
        name: organisation,
        nodePlan: plan.nodes[organisation] ?? { clockSkewMs: 0, crashes: [] },
        start: (ports, process) => startOrganisation(organisation, ports, process),
      }),
    ]),
  )

  const cluster: Cluster = {
    scheduler,
    plan,
    kernels,
    hub,
    organisations,
    conditions,
    departed,
    tokens,
    acknowledgements,
    overwritten,
    unspent,
    chaos,
  }
  return cluster
}

/** Registers under the invitation until the hub has said yes, and remembers that it did. */
async function join(
  organisation: OrganisationId,
  line: ReturnType<typeof createLine<Hub>>,
  sleep: ReturnType<typeof createSleep>,
  { store }: Ports,
  tokens: ReadonlyMap<OrganisationId, string>,
): Promise<void> {
  while ((await store.readValue('joined')) !== true) {
    const token = tokens.get(organisation)
    const registration = registrationOf(organisation)
    try {
      if (token === undefined) throw new EntenteError('unavailable', 'the invitation has not arrived')
      await line.call('register', registration, (hub) => hub.register(token, registration))
      await store.transact((transaction) => transaction.setValue('joined', true))
    } catch (error) {
      if (!(error instanceof EntenteError) || !error.retryable) throw error
      await sleep(1000)
    }
  }
}

function acknowledgementsOf(
  organisation: OrganisationId,
  request: string,
  detail: unknown,
  answer: unknown,
): Acknowledgement[] {
  if (request === 'register') return [{ type: 'registration', organisation, ...(detail as { signingKey: string }) }]
  if (request.startsWith('deliver')) return [{ type: 'envelope', organisation, envelope: detail as never }]
  if (request.startsWith('poll'))
    return (answer as readonly Mail[]).map((mail) => ({ type: 'mail', organisation, mail }))
  if (request === 'upload' && (answer as { complete: boolean }).complete)
    return [{ type: 'blob', organisation, digest: detail as never }]
  return []
}

/** With privacy, a contribution may leave only once its cost is on disk (P4). */
function unspentBy({ plan, organisations }: Cluster, organisation: OrganisationId, { body }: Envelope): string[] {
  if (plan.private === undefined) return []
  const round = (body as { round_id: string }).round_id
  const spent = organisations.get(organisation)?.tables().collections.get(SPENDING)
  return spent?.has(round) === true ? [] : [`${organisation}/${round}`]
}

/** Blocks never change: a node that stores another one at a height that it had breaks P6, whatever it holds at the end. */
function overwrites(name: string, changes: readonly Change[], ledger: Map<string, string>): string[] {
  const found: string[] = []
  for (const change of changes) {
    if (change.type !== 'record' || change.collection !== 'ledger') continue
    const { leaf } = change.value as { leaf: string }
    const before = ledger.get(change.key)
    if (before !== undefined && before !== leaf) found.push(`${name} replaced block ${change.key}`)
    ledger.set(change.key, leaf)
  }
  return found
}

/** Runs a plan to its end. */
export async function runCluster(options: ClusterOptions): Promise<Run> {
  const cluster = createCluster(options)
  const { scheduler, plan, hub, organisations } = cluster
  const nodes = [hub, ...organisations.values()]
  for (const node of nodes) node.boot()
  const operator = createProcess(scheduler, 'operator')
  void operate(cluster, operator)
  void depart(cluster, createProcess(scheduler, 'administrator'))
  const { deadlineMs, sealTimeoutMs, phaseMs, scenario } = plan
  const longest = scenario.rounds * (deadlineMs + 4 * phaseMs + sealTimeoutMs + QUIET_MS)
  const until = EPOCH_MS + plan.quietAfterMs + longest
  let events = 0
  await scheduler.run({ until, done: () => ++events > EVENTS_MAX || unfinishedOf(cluster).length === 0 })
  const unfinished = unfinishedOf(cluster)
  return {
    plan,
    scheduler,
    acknowledgements: cluster.acknowledgements,
    overwritten: cluster.overwritten,
    unspent: cluster.unspent,
    departed: cluster.departed,
    hub: remainsOf(hub),
    organisations: [...organisations.values()].map(remainsOf),
    finished: unfinished.length === 0,
    unfinished,
  }
}

function remainsOf(node: SimulatedNode<unknown>) {
  return {
    name: node.name,
    tables: node.tables(),
    blobs: node.disk.everStored,
    kept: new Set(node.disk.blobs.keys()),
    crashes: node.crashes(),
  }
}
