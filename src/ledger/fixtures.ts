/** A small federation with fixed keys, for tests and benchmarks of the ledger. */

import { utf8 } from '../base/bytes.ts'
import { digestOf, sha256 } from '../base/hash.ts'
import type { Digest, OrganisationId } from '../base/ids.ts'
import { type PublicKey, publicKeyOf, type SecretKey } from '../base/signature.ts'
import { type Block, type BlockContent, signBlock } from './block.ts'
import type { LedgerExport, LedgerKeys } from './export.ts'
import type { LedgerRecord } from './log.ts'
import { type BlockSigned, type LedgerEffect, type LedgerState, ledgerMachine, type SealRequested } from './sealing.ts'

export const ORIGIN = 'finance-isac.example'
export const START = Date.parse('2026-01-05T08:00:00.000Z')

const secrets = new Map<string, SecretKey>()

/** The same array for the same name, as a node keeps its key: parsed keys are kept with it. */
export function secretOf(name: string): SecretKey {
  const secret = secrets.get(name) ?? sha256(utf8(`secret of ${name}`))
  secrets.set(name, secret)
  return secret
}

export const keyOf = (name: string): PublicKey => publicKeyOf(secretOf(name))
export const modelOf = (training: string, round: number): Digest => digestOf({ training, round })
export const named = (...names: string[]): OrganisationId[] => names as OrganisationId[]

/** Content of the block of a round; round 0 starts the training. */
export function contentOf(training: string, round: number, organisations: readonly OrganisationId[]): BlockContent {
  const participants =
    round === 0
      ? []
      : organisations.map((org_id, i) => ({ org_id, sample_count: 100 + i, contribution: digestOf([org_id, round]) }))
  return {
    model_hash: modelOf(training, round),
    aggregation_metrics: {
      round,
      num_clients: participants.length,
      convergence: round === 0 ? 0 : 0.25 / round,
      norm_difference: 1.5,
      gradient_norm: 1.25,
    },
    provenance: {
      model_version: `v1.${round}`,
      parent_model: round === 0 ? null : modelOf(training, round - 1),
      training_id: training,
      round_id: `${training}-${round}`,
      training_config: { strategy: { name: 'fedavg' }, seed: 42 },
      data_sources: ['zeek conn.log'],
      participants,
      privacy_params: { epsilon: null, delta: null, clipping_norm: 1, stages: [{ stage: 'noise', applied: false }] },
    },
  }
}

export function requestOf(
  content: BlockContent,
  signers: readonly OrganisationId[],
  at: number,
  signaturesMin = signers.length,
): SealRequested {
  const { round_id } = content.provenance
  return {
    type: 'seal-requested',
    id: `seal/${round_id}`,
    content,
    signers: signers.map((org_id) => ({ org_id, public_key: keyOf(org_id) })),
    signaturesMin,
    at,
    deadline: at + 10_000,
    replyStream: `round/${round_id}`,
  }
}

export function signatureOf(id: string, block: Block, organisation: OrganisationId, at: number): BlockSigned {
  const signature = signBlock(block, secretOf(organisation))
  return { type: 'block-signed', id, organisation, height: block.height, hash: block.hash, signature, at }
}

export const machine = ledgerMachine({ origin: ORIGIN, hubSecret: secretOf('hub') })

/** The sealing machine with everything that it has caused so far. */
export class Hub {
  state: LedgerState = machine.initial('ledger')
  readonly effects: LedgerEffect[] = []
  readonly records: LedgerRecord[] = []

  step(event: Parameters<typeof machine.step>[1]): readonly LedgerEffect[] {
    const step = machine.step(this.state, event)
    this.state = step.state
    this.effects.push(...step.effects)
    for (const { collection, value } of step.records ?? [])
      if (collection === 'ledger') this.records.push(value as LedgerRecord)
    return step.effects
  }

  /** Has a block sealed with the signatures of all signers. */
  seal(content: BlockContent, signers: readonly OrganisationId[], at: number): void {
    const request = requestOf(content, signers, at)
    const proposal = this.step(request).find((effect) => effect.type === 'propose-block')
    for (const signer of proposal?.to ?? [])
      this.step(signatureOf(request.id, proposal?.block as Block, signer, at + 1))
  }
}

export const ORGANISATIONS = named('bank-a', 'bank-b', 'constructor')

/** A ledger of `rounds` rounds and the initial block. */
export function trained(rounds: number, organisations: readonly OrganisationId[] = ORGANISATIONS): Hub {
  const hub = new Hub()
  for (let round = 0; round <= rounds; round++)
    hub.seal(contentOf('t1', round, organisations), round === 0 ? [] : organisations, START + 1000 * round)
  return hub
}

export function exportOf(hub: Hub): LedgerExport {
  const leaves = hub.records.map(({ leaf }) => leaf)
  return { format: 'entente-ledger-1', origin: ORIGIN, checkpoint: hub.state.log.checkpoint ?? '', leaves }
}

export const MEMBERS = Object.fromEntries(ORGANISATIONS.map((name) => [name, [keyOf(name)]]))
export const KEYS: LedgerKeys = { format: 'entente-keys-1', origin: ORIGIN, hub: keyOf('hub'), organisations: MEMBERS }
