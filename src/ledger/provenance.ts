/**
 * Where a model comes from: parent model -> round -> aggregation -> model (ledger document section 6.2), read from the
 * blocks of a verified ledger.
 */

import { fail } from '../base/errors.ts'
import type { Digest } from '../base/ids.ts'
import type { Block } from './block.ts'

/** The newest block, not above `below`, that sealed a model; undefined if there is none. */
export type ReadBlockOfModel = (model: Digest, below: number) => Promise<Block | undefined>

/** One generation, newest first in a lineage. */
export interface Generation {
  readonly height: number
  readonly timestamp: string
  readonly modelVersion: string
  readonly modelHash: Digest
  readonly parentModel: Digest | null
  readonly trainingId: string
  readonly round: number
  readonly strategy: string | null
  readonly participants: readonly {
    readonly organisation: string
    readonly sampleCount: number
    readonly signed: boolean
  }[]
  readonly convergence: number
  readonly blockHash: Digest
}

function strategyOf(block: Block): string | null {
  const config = block.provenance.training_config as { readonly strategy?: { readonly name?: unknown } } | null
  return typeof config?.strategy?.name === 'string' ? config.strategy.name : null
}

/** What a block says about the making of its model. */
export function generationOf(block: Block): Generation {
  const { provenance, aggregation_metrics: metrics } = block
  const participants = provenance.participants.map(({ org_id, sample_count }) => ({
    organisation: org_id,
    sampleCount: sample_count,
    signed: Object.hasOwn(block.org_signatures, org_id),
  }))
  return {
    height: block.height,
    timestamp: block.timestamp,
    modelVersion: provenance.model_version,
    modelHash: block.model_hash,
    parentModel: provenance.parent_model,
    trainingId: provenance.training_id,
    round: metrics.round,
    strategy: strategyOf(block),
    participants,
    convergence: metrics.convergence,
    blockHash: block.hash,
  }
}

/**
 * The lineage of a model, newest first, at most `generationsMax`. A parent is looked for below its child, so that a loop
 * of hashes in a hostile ledger ends.
 * @throws not-found if no block sealed the model.
 */
export async function lineage(model: Digest, read: ReadBlockOfModel, generationsMax = 10_000): Promise<Generation[]> {
  const generations: Generation[] = []
  let block = await read(model, Number.MAX_SAFE_INTEGER)
  if (block === undefined) fail('not-found', `no block of the ledger sealed the model ${model}`)
  while (block !== undefined && generations.length < generationsMax) {
    generations.push(generationOf(block))
    const { parent_model: parent } = block.provenance
    if (parent === null || block.height === 0) break
    block = await read(parent, block.height - 1)
  }
  return generations
}
