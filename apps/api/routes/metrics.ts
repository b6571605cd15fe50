/**
 * The metrics of section 9 of the ledger document in the Prometheus text format, version 0.0.4. They are read from the
 * ledger and from the record of the newest block's round, so every hub process on one store says the same. What nobody measured
 * is NaN, not zero: epsilon and delta without noise, detection where nobody looked.
 */

import { EntenteError } from '../../../src/base/errors.ts'
import type { Hub } from '../../../src/node/hub.ts'
import type { Block } from '../../../src/ledger/block.ts'
import { requireOperator } from '../peer.ts'
import type { Api } from '../server.ts'

interface Metric {
  readonly name: string
  readonly help: string
  readonly value: number
}

export function metricsRoutes(app: Api, hub: Hub): void {
  app.get('/metrics', { schema: { hide: true } }, async (request, reply) => {
    requireOperator(hub, request)
    return reply.type('text/plain; version=0.0.4; charset=utf-8').send(exposition(await metricsOf(hub)))
  })
}

async function metricsOf(hub: Hub): Promise<readonly Metric[]> {
  const block = (await hub.ledger.head())?.block
  const metrics = block?.aggregation_metrics
  const round = block === undefined ? undefined : await roundOf(hub, block)
  return [
    { name: 'round_number', help: 'round of the newest block', value: metrics?.round ?? 0 },
    { name: 'participating_orgs', help: 'organisations in the newest block', value: metrics?.num_clients ?? 0 },
    {
      name: 'aggregation_latency_ms',
      help: 'time that the newest aggregation took',
      value: round?.aggregation_latency_ms ?? Number.NaN,
    },
    {
      name: 'convergence_rate',
      help: '||w_new - w_old|| / ||w_old|| of the newest block',
      value: metrics?.convergence ?? Number.NaN,
    },
    {
      name: 'privacy_epsilon_used',
      help: 'epsilon of an organisation in the training of the newest block, so far; NaN: no noise was added',
      value: statedIn(block, 'epsilon'),
    },
    {
      name: 'privacy_delta_used',
      help: 'delta at which that epsilon is stated; NaN: no noise was added',
      value: statedIn(block, 'delta'),
    },
    {
      name: 'privacy_budget_used',
      help: 'sum of 1/sigma^2 over the training so far: a diagnostic, and not the epsilon that is accounted for; NaN: no noise was added',
      value: round?.privacy_budget_used ?? Number.NaN,
    },
    {
      name: 'byzantine_detection_triggered',
      help: 'whether an update of the newest block was far from the rest, or validators found its model clearly worse; NaN: nobody looked',
      value: triggeredOf(round?.byzantine_detection_triggered ?? metrics?.['byzantine_detection_triggered']),
    },
    {
      name: 'aggregation_quality',
      help: 'nats that the newest model takes off the loss of a row, median over validators, -1 to 1; NaN: fewer than three spoke so far',
      value: round?.aggregation_quality ?? Number.NaN,
    },
    {
      name: 'blockchain_verification_time_ms',
      help: 'time to verify the newest block, now',
      value: await verificationTimeMs(hub, block),
    },
    { name: 'ledger_blocks', help: 'blocks in the ledger', value: block === undefined ? 0 : block.height + 1 },
  ]
}

/** As the block states it. What an organisation's own budget says, over all trainings, the hub does not know. */
function statedIn(block: Block | undefined, name: 'epsilon' | 'delta'): number {
  const stated = block?.provenance.privacy_params
  if (typeof stated !== 'object' || stated === null || !Object.hasOwn(stated, name)) return Number.NaN
  const value = (stated as Readonly<Record<string, unknown>>)[name]
  return typeof value === 'number' ? value : Number.NaN
}

function triggeredOf(value: unknown): number {
  return typeof value === 'boolean' ? Number(value) : Number.NaN
}

interface RoundMetrics {
  readonly aggregation_latency_ms?: number
  readonly aggregation_quality?: number
  readonly privacy_budget_used?: number
  readonly byzantine_detection_triggered?: boolean
}

/** What the round says by now, validators included; nothing of a block that no round made. */
async function roundOf(hub: Hub, block: Block): Promise<RoundMetrics | undefined> {
  try {
    return ((await hub.round(block.provenance.round_id)) as { metrics: RoundMetrics | null }).metrics ?? undefined
  } catch (error) {
    if (error instanceof EntenteError && error.code === 'unknown-round') return undefined
    throw error
  }
}

async function verificationTimeMs(hub: Hub, block: Block | undefined): Promise<number> {
  if (block === undefined) return Number.NaN
  const startedAt = performance.now()
  await hub.verifyModel(block.model_hash)
  return performance.now() - startedAt
}

function exposition(metrics: readonly Metric[]): string {
  return metrics
    .map(({ name, help, value }) => `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${name} ${value}\n`)
    .join('')
}
