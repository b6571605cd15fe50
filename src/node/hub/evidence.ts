/** What the hub hands out so that others need not believe it. */

import type { Digest, FederationId } from '../../base/ids.ts'
import { fail } from '../../base/errors.ts'
import type { PublicKey } from '../../base/signature.ts'
import { type Block, verifyBlockSignature } from '../../ledger/block.ts'
import type { LedgerExport, LedgerKeys } from '../../ledger/export.ts'
import { verifyBlock } from '../../ledger/rules.ts'
import { membersOf } from '../../registry/read.ts'
import type { Drive } from '../drive.ts'
import { BLOCKS_MAX, type LedgerReader } from '../ledger-reader.ts'
import { registryState } from './members.ts'

export interface ModelVerdict {
  /** The block holds, and every signature shown is one of a participant under its registered key. */
  readonly verified: boolean
  /** Share of the block's participants whose valid signature was shown, from 0 to 1; 1 for a block without participants. */
  readonly trust_score: number
}

/** The whole ledger as of one checkpoint. @throws not-found while it is empty */
export async function exportLedger(origin: FederationId, ledger: LedgerReader): Promise<LedgerExport> {
  const head = await ledger.head()
  if (head === undefined) fail('not-found', 'the ledger is empty')
  const { height } = head.block
  const leaves: string[] = []
  while (leaves.length <= height) {
    const records = await ledger.records(leaves.length, height, BLOCKS_MAX)
    if (records.length === 0) fail('internal', `block ${leaves.length} is missing from the ledger`)
    leaves.push(...records.map(({ leaf }) => leaf))
  }
  return { format: 'entente-ledger-1', origin, checkpoint: head.checkpoint, leaves }
}

export async function ledgerKeys(drive: Drive, origin: FederationId, hub: PublicKey): Promise<LedgerKeys> {
  return { format: 'entente-keys-1', origin, hub, organisations: membersOf(await registryState(drive)) }
}

/** Judges the signatures shown for a model, or those in the block where none are shown. @throws not-found */
export async function verifyModel(
  drive: Drive,
  ledger: LedgerReader,
  model: Digest,
  shown?: Readonly<Record<string, string>>,
): Promise<ModelVerdict> {
  const sealed = await ledger.blockOfModel(model)
  const block = { ...sealed, org_signatures: shown ?? sealed.org_signatures } as Block
  const members: Readonly<Record<string, readonly PublicKey[]>> = membersOf(await registryState(drive))
  const participants = block.provenance.participants.map(({ org_id }) => org_id)
  const valid = participants.filter((name) =>
    keysOf(members, name).some((key) => verifyBlockSignature(block, name, key)),
  )
  const score = participants.length === 0 ? 1 : valid.length / participants.length
  return { verified: await holds(ledger, block, members), trust_score: score }
}

/** hasOwn, because an organisation may be called "constructor". */
const keysOf = (members: Readonly<Record<string, readonly PublicKey[]>>, name: string): readonly PublicKey[] =>
  Object.hasOwn(members, name) ? (members[name] ?? []) : []

async function holds(
  ledger: LedgerReader,
  block: Block,
  members: Readonly<Record<string, readonly PublicKey[]>>,
): Promise<boolean> {
  const previous = block.height === 0 ? undefined : await ledger.block(block.height - 1)
  try {
    verifyBlock(block, previous, members)
    return true
  } catch {
    // Malformed or wrong, the answer to "does it verify" is no.
    return false
  }
}
