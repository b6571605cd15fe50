/**
 * Everything through which a node touches the world. The product passes Postgres, files, HTTPS and the system clock; the
 * simulator passes seeded fakes. `hub.ts`, `organisation.ts` and `drive.ts` know nothing else of the outside.
 */

import type { Envelope } from '../base/envelope.ts'
import type { Digest, Party } from '../base/ids.ts'
import type { RecordWrite } from '../base/machine.ts'
import type { Trial } from '../learning/verdict.ts'
import type { LabelledSummary, TrainRequest, ValidateRequest } from './training.ts'

/** Milliseconds since the Unix epoch. */
export interface Clock {
  now(): number
}

/** Cryptographically secure bytes. */
export interface Random {
  bytes(length: number): Uint8Array
}

/** An effect waiting to be carried out: at least once, in no order, by any process of the node. */
export interface Job {
  /** `stream/seq/n`: unique, and the idempotency key of whatever the effect does. */
  readonly id: string
  readonly stream: string
  readonly effect: unknown
  /** Milliseconds since the epoch; absent = at once. */
  readonly runAt?: number
}

export interface StreamState {
  /** Number of events so far. */
  readonly seq: number
  readonly state: unknown
}

export interface StoredEvent {
  readonly seq: number
  readonly id: string
  readonly event: unknown
}

/** One transaction. Nothing of it is visible before it commits; all of it is durable after. */
export interface Transaction {
  /** Locks the stream until the end of the transaction; undefined if it has no events. */
  lockStream(stream: string): Promise<StreamState | undefined>
  hasEvent(stream: string, eventId: string): Promise<boolean>
  /** Appends event number `seq` (0-based) and replaces the state. */
  append(stream: string, event: StoredEvent, state: unknown): Promise<void>
  /** Empties the stream's events, this transaction's among them; that they happened, and their ids, stay. */
  forgetEvents(stream: string): Promise<void>
  writeRecords(records: readonly RecordWrite[]): Promise<void>
  enqueue(jobs: readonly Job[]): Promise<void>
  /** Keeps the envelope as evidence; false if its sender already used the id. */
  recordEnvelope(envelope: Envelope): Promise<boolean>
  /** Appends to the mailbox of `to`; no-op if an envelope of this id is in it. Positions per recipient are gapless in commit order. */
  postMail(to: Party, envelope: Envelope): Promise<void>
  /** A named value of the shell: mailbox cursors and the like. */
  setValue(name: string, value: unknown): Promise<void>
}

export interface Mail {
  /** 1-based, increasing in the recipient's mailbox. */
  readonly position: number
  readonly envelope: Envelope
}

export interface Store {
  /** Runs `work` in one transaction; rolls back if it throws; may run it again after a serialisation failure. */
  transact<T>(work: (transaction: Transaction) => Promise<T>): Promise<T>
  readStream(stream: string): Promise<StreamState | undefined>
  readEvents(stream: string): Promise<readonly StoredEvent[]>
  /** Stream ids of a kind, sorted. */
  listStreams(kind: string): Promise<readonly string[]>
  readRecord(collection: string, key: string): Promise<unknown>
  /** Records with from <= key <= to, in key order. */
  readRecords(
    collection: string,
    from: string,
    to: string,
    limit: number,
  ): Promise<readonly { key: string; value: unknown }[]>
  readMail(recipient: Party, after: number, limit: number): Promise<readonly Mail[]>
  /** Resolves when mail after `after` may be there, or when `waitMs` have passed, or the signal aborts. */
  awaitMail(recipient: Party, after: number, waitMs: number, signal: AbortSignal): Promise<void>
  readValue(name: string): Promise<unknown>
}

export interface Jobs {
  /**
   * Starts carrying out jobs. A handler that throws has its job tried again later, with back-off; one that returns has it
   * removed. Jobs of a process that died are taken over by the others.
   */
  start(handler: (job: Job) => Promise<void>): Promise<void>
  /** Stops taking jobs, waits for those under way. */
  stop(): Promise<void>
}

export interface BlobReader {
  readonly digest: Digest
  readonly size: number
  /** Fills `into` from `offset`; @throws blob-truncated if the file ends before. */
  read(offset: number, into: Uint8Array): Promise<void>
  close(): Promise<void>
}

export interface BlobWriter {
  write(chunk: Uint8Array): Promise<void>
  /** Durable when resolved (fsync, rename, directory fsync). With `expected`, @throws digest-mismatch and keeps nothing. */
  commit(expected?: Digest): Promise<{ digest: Digest; size: number }>
  abort(): Promise<void>
}

/** Content-addressed files. */
export interface Blobs {
  /** Size, or undefined if it is not here. */
  size(digest: Digest): Promise<number | undefined>
  /** @throws blob-missing */
  open(digest: Digest): Promise<BlobReader>
  create(): Promise<BlobWriter>
  /**
   * Removes a blob that is complete; no-op if it is not here. Durable when it resolves, as far as its name goes: the disk may
   * keep the bytes. Readers that are open go on.
   */
  remove(digest: Digest): Promise<void>
  /** Bytes of a resumable upload that are durable so far. */
  uploadOffset(digest: Digest): Promise<number>
  /**
   * Adds bytes to a resumable upload at `offset`, and completes it when `size` is reached.
   * @throws offset-mismatch (details.offset), digest-mismatch (upload removed), body-too-large, storage-full
   */
  uploadChunk(
    digest: Digest,
    size: number,
    offset: number,
    chunks: AsyncIterable<Uint8Array>,
  ): Promise<{ offset: number; complete: boolean }>
}

/** An organisation's connection to its hub; it always dials out. */
export interface HubConnection {
  /** Delivers an envelope; @throws the hub's EntenteError, or `unavailable` when the hub does not answer. */
  deliver(envelope: Envelope): Promise<unknown>
  /** Mail after `after`, waiting up to `waitMs` for some. */
  poll(after: number, waitMs: number, signal: AbortSignal): Promise<readonly Mail[]>
  /** Copies a blob from the hub into `blobs`, resuming; @throws blob-missing, digest-mismatch */
  download(digest: Digest, blobs: Blobs): Promise<void>
  /** Copies a blob from `blobs` to the hub, resuming. */
  upload(digest: Digest, blobs: Blobs): Promise<void>
}

/** Local training, off the event loop. The same request gives the same bytes, on any machine and after any crash. */
export interface Trainer {
  /** Flat parameters after training, with the number of rows used; @throws no-data */
  train(request: TrainRequest): Promise<{ parameters: Float32Array; summary: LabelledSummary }>
  /** What a new model does to the loss on rows that were held out from training; no rows where there are none. */
  validate?(request: ValidateRequest): Promise<Trial>
}

/** What a hub or an organisation is built from. */
export interface Ports {
  readonly store: Store
  readonly jobs: Jobs
  readonly blobs: Blobs
  readonly clock: Clock
  readonly random: Random
}
