/**
 * The exported ledger, `federation.ledger.json`, and its verification with public keys alone (promise P9). The file is
 * hostile. Every fault is found and named with its height, not only the first.
 */

import { z } from 'zod'
import { equalBytes, fromBase64Url, utf8 } from '../base/bytes.ts'
import { canonicalJson } from '../base/canonical.ts'
import { EntenteError, fail } from '../base/errors.ts'
import type { Digest, OrganisationId } from '../base/ids.ts'
import type { PublicKey } from '../base/signature.ts'
import type { Block, BlockLink } from './block.ts'
import { type Checkpoint, openCheckpoint } from './checkpoint.ts'
import { decodeLeaf } from './leaf.ts'
import { appendLeaf, EMPTY_RANGE, leafHash, rangeRoot } from './merkle.ts'
import {
  contentFaults,
  type Fault,
  linkFaults,
  progressFaults,
  progressOf,
  signatureFaults,
  type Trainings,
} from './rules.ts'

export interface LedgerExport {
  readonly format: 'entente-ledger-1'
  readonly origin: string
  /** Signed note of the tree of all leaves. */
  readonly checkpoint: string
  readonly leaves: readonly string[]
}

export interface LedgerKeys {
  readonly format: 'entente-keys-1'
  readonly origin: string
  readonly hub: PublicKey
  readonly organisations: Readonly<Record<OrganisationId, readonly PublicKey[]>>
}

/** A fault of an export; height null for those of the whole file. */
export interface ExportFault extends Fault {
  readonly height: number | null
}

export interface ExportSummary {
  /** Height of the newest block. */
  readonly height: number
  /** Model of the newest block. */
  readonly modelHash: Digest
  readonly blocks: number
  /** Organisations whose signatures are on some block, sorted. */
  readonly organisations: readonly string[]
}

export interface ExportReport {
  /** Undefined if there is a fault. */
  readonly summary?: ExportSummary
  readonly faults: readonly ExportFault[]
  /** Faults beyond those listed. */
  readonly faultsOmitted: number
}

const FAULTS_MAX = 1000

const exportSchema = z.strictObject({
  format: z.literal('entente-ledger-1'),
  origin: z.string(),
  checkpoint: z.string(),
  leaves: z.array(z.string()),
})
const publicKeySchema = z.string().refine((key) => fromBase64Url(key)?.length === 32, 'not a public key')
const keysSchema = z.strictObject({
  format: z.literal('entente-keys-1'),
  origin: z.string().min(1),
  hub: publicKeySchema,
  organisations: z.record(z.string(), z.array(publicKeySchema)),
})

/** The text of `federation.ledger.json`: canonical, so that equal ledgers are equal files. */
export function encodeExport(exported: LedgerExport): string {
  return `${canonicalJson(exported)}\n`
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return fail('malformed-json', 'the file is not JSON')
  }
}

/**
 * Inverse of {@link encodeExport}. Refuses any other spelling, so that two programs cannot read two ledgers from one file.
 * @throws malformed-json, ledger-invalid
 */
export function parseExport(text: string): LedgerExport {
  const exported = checkForm(parseJson(text))
  if (encodeExport(exported) !== text)
    fail('ledger-invalid', 'the file is not in canonical form', { reason: 'export-not-canonical' })
  return exported
}

function checkForm(value: unknown): LedgerExport {
  const parsed = exportSchema.safeParse(value)
  if (parsed.success) return parsed.data
  return fail('ledger-invalid', 'the file is not an exported ledger', { reason: 'export-malformed' })
}

/** Parses `federation.keys.json`. @throws config-invalid; also for a key that two organisations share. */
export function parseKeys(value: unknown): LedgerKeys {
  const parsed = keysSchema.safeParse(value)
  if (!parsed.success)
    fail('config-invalid', `not a file of ledger keys: ${parsed.error.issues[0]?.path.join('.') ?? ''}`)
  const all = Object.values(parsed.data.organisations).flatMap((keys) => [...new Set(keys)])
  if (new Set(all).size !== all.length) fail('config-invalid', 'two organisations share a key')
  return parsed.data as LedgerKeys
}

/** Collects faults; keeps the first thousand, so that a hostile file cannot fill the memory. */
class Findings {
  readonly faults: ExportFault[] = []
  omitted = 0

  add(height: number | null, fault: Fault): void {
    if (this.faults.length < FAULTS_MAX) this.faults.push({ height, ...fault })
    else this.omitted++
  }

  /** The value of `work`, or undefined and a fault. */
  attempt<T>(height: number | null, work: () => T): T | undefined {
    try {
      return work()
    } catch (error) {
      if (!(error instanceof EntenteError)) throw error
      this.add(height, {
        reason: typeof error.details.reason === 'string' ? error.details.reason : error.code,
        message: error.message,
      })
      return undefined
    }
  }
}

/** Walks the chain; after an unreadable leaf, links are taken up again at the next readable one. */
function checkBlocks(
  leaves: readonly string[],
  keys: LedgerKeys,
  findings: Findings,
): { last: Block | undefined; signers: Set<string> } {
  const signers = new Set<string>()
  // Grown in place: a copy for each block would let a file of many trainings cost its square.
  const trainings: Record<string, Trainings[string]> = {}
  let last: Block | undefined
  for (const [height, leaf] of leaves.entries()) {
    const block = findings.attempt(height, () => decodeLeaf(leaf))
    if (block !== undefined) {
      for (const fault of blockFaults(block, height, last, trainings, keys)) findings.add(height, fault)
      for (const signer of Object.keys(block.org_signatures)) signers.add(signer)
      Object.assign(trainings, progressOf(block))
    }
    last = block
  }
  return { last, signers }
}

function* blockFaults(
  block: Block,
  height: number,
  last: Block | undefined,
  trainings: Trainings,
  keys: LedgerKeys,
): Generator<Fault> {
  // Without its predecessor a block is still checked for height; its hash chain cannot be.
  const previous: BlockLink | undefined =
    last ??
    (height === 0 ? undefined : { height: height - 1, timestamp: block.timestamp, hash: block.prev_hash as Digest })
  yield* linkFaults(block, previous)
  yield* contentFaults(block)
  yield* signatureFaults(block, keys.organisations)
  yield* progressFaults(block, trainings)
}

function checkTree(leaves: readonly string[], checkpoint: Checkpoint, findings: Findings): void {
  if (checkpoint.size !== leaves.length)
    findings.add(null, {
      reason: 'checkpoint-size',
      message: `the checkpoint is of ${checkpoint.size} blocks, the file has ${leaves.length}`,
    })
  let range = EMPTY_RANGE
  for (const leaf of leaves) range = appendLeaf(range, leafHash(utf8(leaf)))
  if (!equalBytes(rangeRoot(range), checkpoint.root))
    findings.add(null, { reason: 'root-wrong', message: 'the signed root is not that of the blocks in the file' })
}

/** Checks an exported ledger and reports every fault. Pure. @throws nothing for a bad export; config-invalid for bad keys. */
export function inspectExport(value: unknown, keys: LedgerKeys): ExportReport {
  parseKeys(keys)
  const findings = new Findings()
  const exported = findings.attempt(null, () => checkForm(value))
  if (exported === undefined) return { faults: findings.faults, faultsOmitted: 0 }
  const { leaves, origin } = exported
  if (origin !== keys.origin)
    findings.add(null, { reason: 'origin-wrong', message: `the file is of ${origin}, the keys are of ${keys.origin}` })
  if (leaves.length === 0) findings.add(null, { reason: 'empty', message: 'the file has no blocks' })
  const checkpoint = findings.attempt(null, () => openCheckpoint(exported.checkpoint, keys.origin, keys.hub))
  if (checkpoint !== undefined) checkTree(leaves, checkpoint, findings)
  const { last, signers } = checkBlocks(leaves, keys, findings)
  const { faults, omitted } = findings
  if (faults.length > 0 || last === undefined) return { faults, faultsOmitted: omitted }
  return {
    summary: {
      height: last.height,
      modelHash: last.model_hash,
      blocks: leaves.length,
      organisations: [...signers].toSorted(),
    },
    faults,
    faultsOmitted: 0,
  }
}

/** Verifies an exported ledger. @throws ledger-invalid with details.reason (of the first) and details.faults (all). */
export function verifyExport(exported: unknown, keys: LedgerKeys): ExportSummary {
  const { summary, faults, faultsOmitted } = inspectExport(exported, keys)
  if (summary !== undefined) return summary
  const first = faults[0]
  return fail('ledger-invalid', `the ledger does not verify: ${first?.message ?? ''}`, {
    reason: first?.reason,
    faults,
    faultsOmitted,
  })
}
