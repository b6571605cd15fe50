/**
 * What makes a block valid: every rule yields the faults that it finds, so that an auditor sees all of them. The rules
 * are those of the ledger document (section 3.5): hash, signatures, metrics within bounds, privacy parameters.
 */

import { fail } from '../base/errors.ts'
import type { Digest, OrganisationId } from '../base/ids.ts'
import type { PublicKey } from '../base/signature.ts'
import { type Block, type BlockLink, blockHash, NO_HASH, verifyBlockSignature } from './block.ts'
import { parseBlock } from './leaf.ts'
import { privacyFaults } from './privacy-claims.ts'

/** Signing keys of the organisations, valid at the height in question. */
export interface Members {
  readonly [organisation: string]: readonly PublicKey[]
}

export interface Fault {
  /** Stable name, for programs. */
  readonly reason: string
  readonly message: string
}

/** How far each training has come: its newest round, and the model that it sealed. */
export type Trainings = Readonly<Record<string, { readonly round: number; readonly model: Digest }>>

/** The block follows its predecessor: height, hash chain, time. */
export function* linkFaults(block: Block, previous: BlockLink | undefined): Generator<Fault> {
  const height = previous === undefined ? 0 : previous.height + 1
  if (block.height !== height)
    yield { reason: 'height-wrong', message: `height ${block.height} where ${height} follows` }
  if (block.prev_hash !== (previous?.hash ?? NO_HASH))
    yield { reason: 'prev-hash-wrong', message: 'prev_hash is not the hash of the block before' }
  const time = Date.parse(block.timestamp)
  if (Number.isNaN(time) || new Date(time).toISOString() !== block.timestamp)
    yield { reason: 'timestamp-malformed', message: 'there is no such date and time' }
  else if (previous !== undefined && time < Date.parse(previous.timestamp))
    yield { reason: 'timestamp-backwards', message: 'the block is older than the one before' }
}

/** The block agrees with itself: hash, participants, round, bounds of the metrics, claims of privacy. */
export function* contentFaults(block: Block): Generator<Fault> {
  if (blockHash(block) !== block.hash) yield { reason: 'hash-wrong', message: 'hash is not the SHA-256 of the block' }
  yield* participantFaults(block)
  yield* metricFaults(block)
  yield* privacyFaults(block.provenance.privacy_params)
}

function* participantFaults({ aggregation_metrics: metrics, provenance }: Block): Generator<Fault> {
  const names = provenance.participants.map((participant) => participant.org_id)
  if (names.some((name, i) => i > 0 && name <= (names[i - 1] as string)))
    yield { reason: 'participants-unsorted', message: 'participants are not sorted, or one is named twice' }
  if (metrics.num_clients !== names.length)
    yield {
      reason: 'num-clients-wrong',
      message: `num_clients is ${metrics.num_clients} with ${names.length} participants`,
    }
}

function* metricFaults({ aggregation_metrics: metrics, provenance }: Block): Generator<Fault> {
  if (provenance.round_id !== `${provenance.training_id}-${metrics.round}`)
    yield { reason: 'round-wrong', message: `round ${metrics.round} is not that of ${provenance.round_id}` }
  if (metrics.round > 0 && provenance.participants.length === 0)
    yield { reason: 'participants-missing', message: 'a round has no participants' }
  if (metrics.round > 0 && provenance.parent_model === null)
    yield { reason: 'parent-missing', message: 'a round has no parent model' }
}

/** Every signature is by a participant, a member, under one of its keys; a round has at least one. */
export function* signatureFaults(block: Block, members: Members): Generator<Fault> {
  const signers = Object.keys(block.org_signatures)
  const participants = new Set<string>(block.provenance.participants.map(({ org_id }) => org_id))
  if (participants.size > 0 && signers.length === 0)
    yield { reason: 'signatures-missing', message: 'no participant signed the block' }
  for (const signer of signers) {
    if (participants.size > 0 && !participants.has(signer))
      yield { reason: 'signer-not-participant', message: `${signer} signed but did not take part` }
    const fault = signatureFault(block, signer as OrganisationId, members)
    if (fault !== undefined) yield fault
  }
}

function signatureFault(block: Block, signer: OrganisationId, members: Members): Fault | undefined {
  // hasOwn: an organisation may be called "constructor".
  const keys = Object.hasOwn(members, signer) ? members[signer] : undefined
  if (keys === undefined) return { reason: 'signer-unknown', message: `${signer} is not a member` }
  if (keys.some((key) => verifyBlockSignature(block, signer, key))) return undefined
  return { reason: 'signature-invalid', message: `the signature of ${signer} does not verify` }
}

/**
 * The block carries its training forward: rounds increase, the parent is the model sealed before; a new training starts
 * from nothing or from the newest model of some training. (To go back to an older model, seal it as a round 0.)
 */
export function* progressFaults(block: Block, trainings: Trainings): Generator<Fault> {
  const { training_id: training, parent_model: parent } = block.provenance
  const { round } = block.aggregation_metrics
  const before = Object.hasOwn(trainings, training) ? trainings[training] : undefined
  if (before !== undefined && round <= before.round)
    yield { reason: 'round-repeated', message: `round ${round} of ${training} after round ${before.round}` }
  const known =
    before === undefined
      ? parent === null || Object.values(trainings).some(({ model }) => model === parent)
      : parent === before.model
  if (!known) yield { reason: 'parent-unknown', message: 'the parent model is not the one sealed before' }
}

/** How far a block brings its training. */
export function progressOf(block: Block): Trainings {
  return { [block.provenance.training_id]: { round: block.aggregation_metrics.round, model: block.model_hash } }
}

/** Throws the first fault, with all of them in the details. */
export function refuseFaults(faults: readonly Fault[], height: number): void {
  const first = faults[0]
  if (first !== undefined)
    fail('ledger-invalid', `block ${height}: ${first.message}`, { reason: first.reason, height, faults })
}

/**
 * A block from outside, checked by itself and against the block before.
 * @throws ledger-invalid; details.reason names the first fault, details.faults has all.
 */
export function verifyBlock(value: unknown, previous: BlockLink | undefined, members: Members): Block {
  const block = parseBlock(value)
  refuseFaults(
    [...linkFaults(block, previous), ...contentFaults(block), ...signatureFaults(block, members)],
    block.height,
  )
  return block
}
