/** Reads of the ledger as a node keeps it: the hub its own log, an organisation its replica of it. */

import { fail } from '../base/errors.ts'
import { type Digest, isDigest } from '../base/ids.ts'
import type { Block } from '../ledger/block.ts'
import { heightKey, type LedgerRecord, type ModelRecord } from '../ledger/log.ts'
import { type Generation, lineage } from '../ledger/provenance.ts'
import type { Store } from './ports.ts'

export interface LedgerReader {
  /** Number of blocks. */
  size(): Promise<number>
  /** The newest block with its checkpoint; undefined while the ledger is empty. */
  head(): Promise<{ readonly block: Block; readonly checkpoint: string } | undefined>
  /** @throws not-found */
  block(height: number): Promise<Block>
  /** Records from..to, both included, at most `limit`. */
  records(from: number, to: number, limit?: number): Promise<readonly LedgerRecord[]>
  /** Blocks from..to, both included, at most `limit`. */
  blocks(from: number, to: number, limit?: number): Promise<readonly Block[]>
  /** The newest block that sealed a model. @throws not-found */
  blockOfModel(model: Digest): Promise<Block>
  /** By `latest`, by digest, by `<version>` (the newest of that name) or by `<training>/<version>`. @throws not-found */
  blockOfVersion(version: string): Promise<Block>
  /** Newest first. @throws not-found */
  lineage(model: Digest): Promise<readonly Generation[]>
}

export const BLOCKS_MAX = 1000

/** Name of the shell's value that maps a model version to a height. */
export const versionValue = (version: string): string => `model-version/${version}`

/** Our own record, verified before it was stored. */
export const blockOf = ({ leaf }: LedgerRecord): Block => JSON.parse(leaf) as Block

export function createLedgerReader(store: Store, size: () => Promise<number>): LedgerReader {
  async function record(height: number): Promise<LedgerRecord> {
    const found = await store.readRecord('ledger', heightKey(height))
    return (found as LedgerRecord | undefined) ?? fail('not-found', `the ledger has no block ${height}`, { height })
  }

  async function records(from: number, to: number, limit = BLOCKS_MAX): Promise<readonly LedgerRecord[]> {
    const found = await store.readRecords('ledger', heightKey(Math.max(0, from)), heightKey(to), limit)
    return found.map(({ value }) => value as LedgerRecord)
  }

  async function head() {
    const height = (await size()) - 1
    if (height < 0) return undefined
    const newest = await record(height)
    return { block: blockOf(newest), checkpoint: newest.checkpoint }
  }

  /** Several trainings may seal the same model; a parent is looked for below its child. */
  async function blockOfModelBelow(model: Digest, below: number): Promise<Block | undefined> {
    const found = (await store.readRecord('model', model)) as ModelRecord | undefined
    if (found === undefined) return undefined
    for (let height = found.height; height >= 0; height = Math.min(height, below + 1) - 1) {
      const block = blockOf(await record(height))
      if (block.height <= below && block.model_hash === model) return block
    }
    return undefined
  }

  async function blockOfModel(model: Digest): Promise<Block> {
    const block = await blockOfModelBelow(model, Number.MAX_SAFE_INTEGER)
    return block ?? fail('not-found', `no block of the ledger sealed the model ${model}`)
  }

  async function blockOfVersion(version: string): Promise<Block> {
    if (version === 'latest') return (await head())?.block ?? fail('not-found', 'the ledger is empty')
    if (isDigest(version)) return blockOfModel(version)
    const height = await store.readValue(versionValue(version))
    if (typeof height !== 'number') fail('not-found', `there is no model version ${version}`)
    return blockOf(await record(height))
  }

  return {
    size,
    head,
    records,
    block: async (height) => blockOf(await record(height)),
    blocks: async (from, to, limit) => (await records(from, to, limit)).map(blockOf),
    blockOfModel,
    blockOfVersion,
    lineage: (model) => lineage(model, blockOfModelBelow),
  }
}
