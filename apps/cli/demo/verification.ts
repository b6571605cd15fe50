/** Nobody is believed: each node is asked what it holds, and a separate process checks the exported ledger. */

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { StageRecord } from '../../../src/learning/stages.ts'
import type { Block } from '../../../src/ledger/block.ts'
import { encodeExport } from '../../../src/ledger/export.ts'
import { decodeLeaf } from '../../../src/ledger/leaf.ts'
import { openControl } from '../../../src/node/control.ts'
import { fail } from '../../../src/base/errors.ts'
import { EXIT } from '../output.ts'
import type { Federation } from './federation.ts'
import type { ProcessGroup } from './processes.ts'
import type { LedgerSummary, PrivacySummary, ProtectionSummary } from './report.ts'

/** The last block travels by mail: a node that has not got it by then is reported as not agreeing. */
const SETTLE_MS = 20_000

export interface ExportedLedger {
  readonly file: string
  readonly keysFile: string
  readonly height: number
  readonly modelHash: string
  /** What the last block says of who could see updates: every participant has signed it. */
  readonly protection: ProtectionSummary
  /** What it says of differential privacy. */
  readonly privacy: PrivacySummary | null
  readonly sameOnAllNodes: boolean
  readonly blocks: readonly Block[]
  /** What validators said of each round's model, if enough have spoken by now. */
  readonly quality: readonly (number | null)[]
}

/** Writes what an auditor needs, and asks every running node whether it holds the same. */
export async function exportLedger(federation: Federation): Promise<ExportedLedger> {
  const { operator, directory } = federation
  const file = join(directory, 'federation.ledger.json')
  const keysFile = join(directory, 'federation.keys.json')
  const ledgerExport = await operator.exportLedger()
  await writeFile(file, encodeExport(ledgerExport))
  await writeFile(keysFile, `${JSON.stringify(await operator.ledgerKeys(), null, 2)}\n`)
  const { ledger } = await operator.status()
  const modelHash = ledger.model_hash ?? fail('internal', 'the ledger holds no model')
  const sameOnAllNodes = await allNodesHold(federation, modelHash, ledger.head)
  const protection = protectionSaid(ledgerExport.leaves.at(-1) ?? fail('internal', 'the ledger is empty'))
  const blocks = ledgerExport.leaves.map((leaf) => decodeLeaf(leaf))
  const privacy = await privacySaid(federation, blocks.at(-1))
  const quality = await qualityOf(federation, blocks)
  return { file, keysFile, height: ledger.size - 1, modelHash, protection, privacy, sameOnAllNodes, blocks, quality }
}

async function qualityOf({ operator }: Federation, blocks: readonly Block[]): Promise<(number | null)[]> {
  const rounds = blocks.filter(({ provenance }) => provenance.participants.length > 0)
  const records = rounds.map(({ provenance }) => operator.round(provenance.round_id))
  return (await Promise.all(records)).map(({ metrics }) => metrics?.aggregation_quality ?? null)
}

/** The guarantee is the block's, what was spent is what each organisation's own budget says. */
async function privacySaid({ members }: Federation, block: Block | undefined): Promise<PrivacySummary | null> {
  const {
    epsilon,
    delta,
    unit,
    against = null,
    stages,
  } = (block?.provenance.privacy_params ?? {}) as unknown as SaidPrivacy
  if (typeof epsilon !== 'number' || typeof delta !== 'number' || unit === undefined) return null
  const rows = stages.find(({ stage }) => stage === 'noise')?.parameters?.['rows_per_host']
  const spent = await Promise.all(members.map(async ({ id, directory }) => [id, await spentBy(directory)] as const))
  const rowsPerHost = typeof rows === 'number' ? rows : null
  return { unit, epsilon, delta, against, rowsPerHost, spent: Object.fromEntries(spent) }
}

interface SaidPrivacy {
  readonly epsilon: number | null
  readonly delta: number | null
  readonly unit?: PrivacySummary['unit']
  readonly against?: string
  readonly stages: readonly StageRecord[]
}

async function spentBy(directory: string): Promise<number> {
  const control = await openControl(directory)
  try {
    return ((await control.get('/privacy/privacy-budget')) as { total_used: number }).total_used
  } finally {
    control.close()
  }
}

function protectionSaid(leaf: string): ProtectionSummary {
  const { privacy_params: params } = decodeLeaf(leaf).provenance
  const { stages } = params as unknown as { readonly stages: readonly StageRecord[] }
  const encrypted = stages.find(({ stage, applied }) => stage === 'encrypt' && applied)
  const scheme = encrypted?.parameters?.['scheme']
  if (scheme === 'paillier' || scheme === 'ckks') return { mode: scheme, parameters: encrypted?.parameters ?? {} }
  const mask = stages.find(({ stage }) => stage === 'mask')
  return { mode: mask?.applied === true ? 'secagg' : 'plain', parameters: mask?.parameters ?? {} }
}

/** The judgement of a separate process, which needs the two files and no federation. */
export async function verifyLedger(processes: ProcessGroup, exported: ExportedLedger): Promise<LedgerSummary> {
  const { file, keysFile, height, modelHash, sameOnAllNodes } = exported
  const { code, stderr } = await processes.run(['ledger', 'verify', file, '--keys', keysFile, '--json'])
  if (code !== EXIT.ok && code !== EXIT.invalid) fail('internal', `the verifier could not judge: ${stderr.trim()}`)
  return { height, verified: code === 0, modelHash, sameOnAllNodes }
}

/** Waits for the last block to arrive everywhere. */
export async function allNodesHold(federation: Federation, modelHash: string, head: string | null): Promise<boolean> {
  const end = performance.now() + SETTLE_MS
  for (;;) {
    const agreeing = await Promise.all(federation.members.map(({ directory }) => holds(directory, modelHash, head)))
    if (agreeing.every(Boolean)) return true
    if (performance.now() > end) return false
    await sleep(100)
  }
}

async function holds(directory: string, modelHash: string, head: string | null): Promise<boolean> {
  const control = await openControl(directory)
  const { ledger } = await control.status()
  control.close()
  return ledger.model_hash === modelHash && ledger.head === head && ledger.model_present && ledger.conflict === null
}
