/**
 * The hub's ledger: takes content, has its signers sign the block that it becomes, seals it into the log. One block is in
 * flight at a time; further requests wait their turn.
 *
 * Invariants: 1. a block is appended at most once, whatever arrives twice; 2. a refused event changes nothing; 3. what is
 * sealed passes every rule that a replica and an auditor apply.
 */

import { fail } from '../base/errors.ts'
import type { Digest, OrganisationId } from '../base/ids.ts'
import type { DriveEffect, Machine, RecordWrite, Step } from '../base/machine.ts'
import type { PublicKey, SecretKey, Signature } from '../base/signature.ts'
import { type Block, type BlockContent, proposeBlock, verifyHashSignature } from './block.ts'
import { signCheckpoint } from './checkpoint.ts'
import { encodeLeaf, LEAF_BYTES_MAX, parseBlock } from './leaf.ts'
import { appendToTree, blockRecords, EMPTY_LOG, extendLog, type LogState } from './log.ts'
import { contentFaults, type Fault, linkFaults, progressFaults } from './rules.ts'

export interface Signer {
  readonly org_id: OrganisationId
  readonly public_key: PublicKey
}

export interface SealRequested {
  readonly type: 'seal-requested'
  /** Names the request; a second one of the same id is the same request. */
  readonly id: string
  readonly content: BlockContent
  readonly signers: readonly Signer[]
  /** Below this many signatures at the deadline, the block is given up. */
  readonly signaturesMin: number
  /** Milliseconds since the epoch. */
  readonly at: number
  /** Milliseconds since the epoch; moves back by as long as the request had to wait. */
  readonly deadline: number
  /** Gets `sealed` or `seal-failed`. */
  readonly replyStream: string
}

export interface BlockSigned {
  readonly type: 'block-signed'
  readonly id: string
  readonly organisation: OrganisationId
  readonly height: number
  readonly hash: Digest
  readonly signature: Signature
  readonly at: number
}

export interface SealTimeout {
  readonly type: 'seal-timeout'
  readonly id: string
  readonly at: number
}

export type LedgerEvent = SealRequested | BlockSigned | SealTimeout

export type SealOutcome =
  | { readonly type: 'sealed'; readonly height: number; readonly hash: Digest; readonly at: number }
  | { readonly type: 'seal-failed'; readonly reason: string; readonly at: number }

export type LedgerEffect =
  | {
      readonly type: 'propose-block'
      readonly id: string
      readonly block: Block
      readonly to: readonly OrganisationId[]
    }
  | { readonly type: 'publish-block'; readonly height: number; readonly hash: Digest }
  | DriveEffect

interface InFlight {
  readonly request: SealRequested
  readonly block: Block
  readonly deadline: number
}

export interface LedgerState {
  readonly log: LogState
  readonly inFlight: InFlight | null
  readonly queue: readonly SealRequested[]
  /** The last outcomes, so that a repeated request is answered, not sealed again. */
  readonly settled: readonly { readonly id: string; readonly outcome: SealOutcome }[]
}

export interface LedgerOptions {
  /** Name of the log: the federation's. */
  readonly origin: string
  readonly hubSecret: SecretKey
}

const SETTLED_KEPT = 32
const QUEUE_MAX = 64

type LedgerStep = Step<LedgerState, LedgerEffect> & { readonly records: readonly RecordWrite[] }

const still = (state: LedgerState): LedgerStep => ({ state, effects: [], records: [] })

function join(first: LedgerStep, next: LedgerStep): LedgerStep {
  return {
    state: next.state,
    effects: [...first.effects, ...next.effects],
    records: [...first.records, ...next.records],
  }
}

function settle(state: LedgerState, request: SealRequested, outcome: SealOutcome): LedgerStep {
  const settled = [...state.settled, { id: request.id, outcome }].slice(-SETTLED_KEPT)
  return {
    ...still({ ...state, settled }),
    effects: [{ type: 'dispatch', stream: request.replyStream, event: outcome }],
  }
}

/** First reason for which this block could never be sealed. */
function obstacle(state: LedgerState, request: SealRequested, block: Block): Fault | undefined {
  const { log } = state
  const previous = log.head ?? undefined
  const faults = [
    ...linkFaults(block, previous),
    ...contentFaults(block),
    ...progressFaults(block, log.trainings),
    ...signerFaults(request),
  ]
  return faults[0]
}

function* signerFaults({ content, signers, signaturesMin }: SealRequested): Generator<Fault> {
  const participants = new Set(content.provenance.participants.map(({ org_id }) => org_id))
  const names = new Set(signers.map(({ org_id }) => org_id))
  const keys = new Set(signers.map(({ public_key }) => public_key))
  if (names.size !== signers.length || keys.size !== signers.length)
    yield { reason: 'signer-repeated', message: 'a signer or a key is named twice' }
  if (participants.size > 0 && signers.some(({ org_id }) => !participants.has(org_id)))
    yield { reason: 'signer-not-participant', message: 'a signer did not take part' }
  if (participants.size > 0 && signers.length === 0)
    yield { reason: 'signatures-missing', message: 'nobody is asked to sign the block' }
  if (signers.length < signaturesMin)
    yield { reason: 'signatures-too-few', message: 'fewer signers than signatures needed' }
}

/** Room for every signature, `"name":"86 characters",`, so that a block that was signed is never too large to seal. */
function checkRoom(block: Block, signers: readonly Signer[]): void {
  const signatures = signers.reduce((bytes, { org_id }) => bytes + org_id.length + 92, 0)
  if (new TextEncoder().encode(encodeLeaf(block)).length + signatures > LEAF_BYTES_MAX)
    fail('ledger-invalid', 'the block with its signatures exceeds the size of a leaf', { reason: 'leaf-too-large' })
}

/** The block of a request, or the reason why there can be none. */
function buildBlock(state: LedgerState, request: SealRequested, at: number): { block: Block } | { reason: string } {
  try {
    const block = parseBlock(proposeBlock(request.content, state.log.head ?? undefined, at))
    checkRoom(block, request.signers)
    const fault = obstacle(state, request, block)
    return fault === undefined ? { block } : { reason: `${fault.reason}: ${fault.message}` }
  } catch (error) {
    return { reason: error instanceof Error ? error.message : String(error) }
  }
}

/** Proposes the block of a request to its signers; without signers, seals it at once. */
function begin(state: LedgerState, request: SealRequested, at: number, options: LedgerOptions): LedgerStep {
  const built = buildBlock(state, request, at)
  if ('reason' in built) return settle(state, request, { type: 'seal-failed', reason: built.reason, at })
  const deadline = request.deadline + Math.max(0, at - request.at)
  const inFlight: InFlight = { request, block: built.block, deadline }
  if (request.signers.length === 0) return seal({ ...state, inFlight }, inFlight, at, options)
  const to = request.signers.map(({ org_id }) => org_id)
  const timeout: SealTimeout = { type: 'seal-timeout', id: request.id, at: deadline }
  const effects: LedgerEffect[] = [
    { type: 'propose-block', id: request.id, block: built.block, to },
    { type: 'after', at: deadline, event: timeout },
  ]
  return { state: { ...state, inFlight }, effects, records: [] }
}

/** Appends the block in flight to the log. */
function seal(state: LedgerState, { request, block }: InFlight, at: number, options: LedgerOptions): LedgerStep {
  const leaf = encodeLeaf(block)
  const { roots, root } = appendToTree(state.log, leaf)
  const checkpoint = signCheckpoint({ origin: options.origin, size: state.log.size + 1, root }, options.hubSecret)
  const log = extendLog(state.log, block, roots, checkpoint)
  const { height, hash } = block
  const appended: LedgerStep = {
    state: { ...state, log, inFlight: null },
    effects: [{ type: 'publish-block', height, hash }],
    records: blockRecords(block, leaf, checkpoint),
  }
  return join(appended, settle(appended.state, request, { type: 'sealed', height, hash, at }))
}

/** Begins waiting requests until one is in flight or none is left. */
function proceed(step: LedgerStep, at: number, options: LedgerOptions): LedgerStep {
  let done = step
  while (done.state.inFlight === null) {
    const [next, ...queue] = done.state.queue
    if (next === undefined) break
    done = join(done, begin({ ...done.state, queue }, next, at, options))
  }
  return done
}

function onRequested(state: LedgerState, request: SealRequested, options: LedgerOptions): LedgerStep {
  const known = state.settled.find(({ id }) => id === request.id)
  if (known !== undefined)
    return { ...still(state), effects: [{ type: 'dispatch', stream: request.replyStream, event: known.outcome }] }
  if (state.inFlight?.request.id === request.id || state.queue.some(({ id }) => id === request.id)) return still(state)
  if (state.queue.length >= QUEUE_MAX)
    return settle(state, request, { type: 'seal-failed', reason: 'queue-full: too many blocks wait', at: request.at })
  return proceed(still({ ...state, queue: [...state.queue, request] }), request.at, options)
}

function onSigned(state: LedgerState, event: BlockSigned, options: LedgerOptions): LedgerStep {
  const { inFlight } = state
  if (inFlight === null || inFlight.request.id !== event.id) {
    // A signature that comes after the block was sealed or given up changes nothing, and is no fault of its sender.
    if (state.settled.some(({ id }) => id === event.id)) return still(state)
    fail('not-found', `no block is proposed under ${event.id}`)
  }
  checkSignature(inFlight, event)
  const org_signatures = { ...inFlight.block.org_signatures, [event.organisation]: event.signature }
  const signed: InFlight = { ...inFlight, block: { ...inFlight.block, org_signatures } }
  if (Object.keys(org_signatures).length < inFlight.request.signers.length) return still({ ...state, inFlight: signed })
  return proceed(seal({ ...state, inFlight: signed }, signed, event.at, options), event.at, options)
}

function checkSignature({ request, block }: InFlight, { organisation, height, hash, signature }: BlockSigned): void {
  const signer = request.signers.find(({ org_id }) => org_id === organisation)
  if (signer === undefined) fail('signature-invalid', `${organisation} is not asked to sign this block`)
  if (height !== block.height || hash !== block.hash)
    fail('signature-invalid', `${organisation} signed another block than the proposed one`)
  if (!verifyHashSignature(block.hash, signature, signer.public_key))
    fail('signature-invalid', `the signature of ${organisation} on the block does not verify`)
}

function onTimeout(state: LedgerState, event: SealTimeout, options: LedgerOptions): LedgerStep {
  const { inFlight } = state
  if (inFlight === null || inFlight.request.id !== event.id) return still(state)
  const signatures = Object.keys(inFlight.block.org_signatures).length
  const needed = Math.max(1, inFlight.request.signaturesMin)
  if (signatures >= needed) return proceed(seal(state, inFlight, event.at, options), event.at, options)
  const reason = `signatures-too-few: ${signatures} of ${needed} signatures at the deadline`
  return proceed(
    settle({ ...state, inFlight: null }, inFlight.request, { type: 'seal-failed', reason, at: event.at }),
    event.at,
    options,
  )
}

/** The sealing machine, stream `ledger` of the hub. */
export function ledgerMachine(options: LedgerOptions): Machine<LedgerState, LedgerEvent, LedgerEffect> {
  return {
    kind: 'ledger',
    initial: () => ({ log: EMPTY_LOG, inFlight: null, queue: [], settled: [] }),
    step(state, event) {
      switch (event.type) {
        case 'seal-requested':
          return onRequested(state, event, options)
        case 'block-signed':
          return onSigned(state, event, options)
        case 'seal-timeout':
          return onTimeout(state, event, options)
      }
    },
  }
}
