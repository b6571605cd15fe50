/** What a finished training left behind at every node, asked for and checked as an outsider would. */

import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { exportLedger, verifyLedger } from '../../apps/cli/demo/verification.ts'
import { digest } from '../../src/base/ids.ts'
import type { Block } from '../../src/ledger/block.ts'
import { decodeLeaf } from '../../src/ledger/leaf.ts'
import { ROUNDS, type TestFederation } from './federation.ts'
import { withClient } from './gate.ts'

const NO_DIGEST = digest('0'.repeat(64))

/** Without the digests of what was sent: masks are drawn anew for every round. */
export function withoutMasks(outcome: Outcome): Outcome {
  const participants = outcome.participants.map((lines) => lines.map((line) => ({ ...line, contribution: NO_DIGEST })))
  return { ...outcome, participants }
}

export interface Outcome {
  /** Of the initial model and of each round's. */
  readonly modelHashes: readonly string[]
  /** Per round: who was counted, with how many samples, and the digest of its update. */
  readonly participants: readonly Block['provenance']['participants'][]
  /** Per round: how often the hub counted a contribution of each organisation. */
  readonly counted: readonly Readonly<Record<string, number>>[]
  /** By a process that has the exported file and public keys only. */
  readonly verified: boolean
  readonly sameOnAllNodes: boolean
}

/** Of a training that is done. */
export async function outcomeOf(federation: TestFederation, trainingId: string): Promise<Outcome> {
  const { verified, sameOnAllNodes } = await verifyLedger(federation.group, await exportLedger(federation))
  const { leaves } = await federation.operator.exportLedger()
  const blocks = leaves
    .map((leaf) => decodeLeaf(leaf))
    .filter(({ provenance }) => provenance.training_id === trainingId)
  const rounds = blocks.filter(({ aggregation_metrics }) => aggregation_metrics.round > 0)
  const counted = await Promise.all(
    Array.from({ length: ROUNDS }, (_, i) => contributionsCounted(federation, `${trainingId}-${i + 1}`)),
  )
  return {
    modelHashes: blocks.map(({ model_hash }) => model_hash),
    participants: rounds.map(({ provenance }) => provenance.participants),
    counted,
    verified,
    sameOnAllNodes,
  }
}

async function contributionsCounted(federation: TestFederation, roundId: string): Promise<Record<string, number>> {
  const statement = `select event::json->>'organisation' as organisation, count(*)::int as times from entente.events
    where stream = $1 and event::json->>'type' = 'contribution-received' group by 1`
  const { rows } = await withClient(federation.hubDatabaseUrl, (client) =>
    client.query<{ organisation: string; times: number }>(statement, [`round/${roundId}`]),
  )
  return Object.fromEntries(rows.map(({ organisation, times }) => [organisation, times]))
}

/** Digests of what a node has stored whole, sorted. */
export async function storedBlobs(directory: string): Promise<string[]> {
  const blobs = join(directory, 'blobs')
  const shards = (await readdir(blobs)).filter((shard) => shard !== 'partial')
  return (await Promise.all(shards.map((shard) => readdir(join(blobs, shard))))).flat().toSorted()
}

/**
 * Removes all models and updates, and waits before for jobs under way: the next training, which has the same seed and
 * therefore the same blobs, must make, upload, aggregate and download them again.
 */
export async function forgetBlobs(federation: TestFederation): Promise<void> {
  for (const node of ['hub', ...federation.organisations]) {
    await noJobsLeft(federation.databaseUrl(node))
    const blobs = join(federation.directory, node, 'blobs')
    for (const shard of await readdir(blobs))
      if (shard !== 'partial') await rm(join(blobs, shard), { recursive: true, force: true })
  }
}

/** Timers of rounds that are over stay, and do nothing. */
async function noJobsLeft(databaseUrl: string): Promise<void> {
  const statement = 'select 1 from graphile_worker.jobs where run_at < now() or locked_at is not null'
  for (const end = performance.now() + 30_000; performance.now() < end; await sleep(50))
    if ((await withClient(databaseUrl, (client) => client.query(statement))).rowCount === 0) return
  throw new Error('jobs are left long after the training is done')
}
