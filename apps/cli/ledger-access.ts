/** The ledger of the node in a directory, hub or organisation, through the interface that its role offers. */

import { fail } from '../../src/base/errors.ts'
import type { Digest } from '../../src/base/ids.ts'
import type { Block } from '../../src/ledger/block.ts'
import type { LedgerExport, LedgerKeys } from '../../src/ledger/export.ts'
import { readConfig } from '../../src/node/config.ts'
import { openControl } from '../../src/node/control.ts'
import { openOperator } from '../../src/node/operator.ts'

export interface LedgerAccess {
  /** All blocks from this height on. */
  blocks(from: number): Promise<readonly Block[]>
  block(height: number): Promise<unknown>
  provenance(modelHash: string): Promise<unknown>
  export(): Promise<LedgerExport>
  /** @throws not-available at an organisation: its operator hands out the keys */
  keys(): Promise<LedgerKeys>
  downloadModel(model: Digest, path: string): Promise<void>
  close(): void
}

/** @throws unavailable if no node runs in the directory */
export async function openLedger(directory: string): Promise<LedgerAccess> {
  const { role } = await readConfig(directory)
  return role === 'hub' ? hubLedger(directory) : organisationLedger(directory)
}

async function hubLedger(directory: string): Promise<LedgerAccess> {
  const operator = await openOperator(directory)
  return {
    ...reads((path) => operator.get(path)),
    export: () => operator.exportLedger(),
    keys: () => operator.ledgerKeys(),
    downloadModel: (model, path) => operator.downloadModel(model, path),
    close: () => operator.close(),
  }
}

async function organisationLedger(directory: string): Promise<LedgerAccess> {
  const control = await openControl(directory)
  return {
    ...reads((path) => control.get(path)),
    export: () => control.exportLedger(),
    keys: async () =>
      fail(
        'not-available',
        'an organisation does not hand out the keys of others: ask the operator of the hub for federation.keys.json',
      ),
    downloadModel: (model, path) => control.downloadModel(model, path),
    close: () => control.close(),
  }
}

function reads(get: (path: string) => Promise<unknown>): Pick<LedgerAccess, 'blocks' | 'block' | 'provenance'> {
  return {
    blocks: (from) => allBlocks(get, from),
    block: async (height) => ((await get(`/ledger/block/${height}`)) as { block: unknown }).block,
    provenance: (modelHash) => get(`/ledger/provenance/${encodeURIComponent(modelHash)}`),
  }
}

async function allBlocks(get: (path: string) => Promise<unknown>, from: number): Promise<Block[]> {
  const blocks: Block[] = []
  for (;;) {
    const page = (await get(`/ledger/blocks?from_height=${from + blocks.length}`)) as { blocks: Block[] }
    if (page.blocks.length === 0) return blocks
    blocks.push(...page.blocks)
  }
}
