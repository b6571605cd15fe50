/** The hub's ledger as a simulated run left it. */

import type { Block } from '../../src/ledger/block.ts'
import { type NodeRemains, recordsOf, type Run } from '../run.ts'

export function leavesOf(node: NodeRemains): string[] {
  const records = [...recordsOf(node, 'ledger')].toSorted(([a], [b]) => (a < b ? -1 : 1))
  return records.map(([, value]) => (value as { leaf: string }).leaf)
}

export function blocksOf(run: Run): Block[] {
  return leavesOf(run.hub).map((leaf) => JSON.parse(leaf) as Block)
}
