/**
 * The wire between organisations and their hub: what is sent may be delayed, overtaken, lost or doubled, and so may the
 * answer; a partition swallows both ways. The sender of a lost request learns nothing but that no answer came.
 */

import type { Envelope } from '../../src/base/envelope.ts'
import { EntenteError, fail } from '../../src/base/errors.ts'
import type { Digest, OrganisationId } from '../../src/base/ids.ts'
import type { Blobs, HubConnection, Mail } from '../../src/node/ports.ts'
import type { Process } from './process.ts'

/** What a running hub answers to on the wire. */
export interface HubEndpoint {
  receive(envelope: Envelope, line: { readonly peer: OrganisationId }): Promise<unknown>
  mailbox(organisation: OrganisationId, after: number, waitMs: number, signal: AbortSignal): Promise<readonly Mail[]>
  /** Whether members may fetch this blob. */
  isPublished(digest: Digest): Promise<boolean>
  readonly ports: { readonly blobs: Blobs }
}

export interface NetworkFaults {
  /** Probability that a request or an answer is lost. */
  readonly loss: number
  /** Probability that a request arrives twice. */
  readonly duplicate: number
  /** Most messages take up to this long, in virtual milliseconds; a few take twenty times as long and are overtaken. */
  readonly delayMs: number
  /** Probability that a chunk of an upload breaks off in the middle. */
  readonly torn: number
}

export const CALM: NetworkFaults = { loss: 0, duplicate: 0, delayMs: 5, torn: 0 }

export interface Partition {
  readonly organisation: OrganisationId
  readonly from: number
  readonly until: number
}

export interface NetworkConditions<Hub extends HubEndpoint = HubEndpoint> {
  faults(): NetworkFaults
  /** Whether nothing passes between this organisation and the hub now. */
  partitioned(organisation: OrganisationId): boolean
  /** The hub's running process, or undefined while it is down. */
  hub(): Hub | undefined
  /** Told when the hub's answer leaves it: from then on the request is acknowledged. */
  acknowledged?(organisation: OrganisationId, request: string, detail: unknown, answer: unknown): void
}

export interface Line<Hub extends HubEndpoint = HubEndpoint> {
  /** Sends a request; `work` runs in the hub when and as often as it arrives. @throws unavailable if no answer comes */
  call<T>(request: string, detail: unknown, work: (hub: Hub) => Promise<T>, options?: CallOptions): Promise<T>
}

interface CallOptions {
  /** How long the answer may take beyond the usual. */
  readonly waitMs?: number
  readonly signal?: AbortSignal
}

const TIMEOUT_MS = 10_000
const REFUSED_MS = 5

type Answer<T> = { readonly value: T } | { readonly error: EntenteError }

/** The line of one run of an organisation's program. */
export function createLine<Hub extends HubEndpoint>(
  process: Process,
  organisation: OrganisationId,
  conditions: NetworkConditions<Hub>,
): Line<Hub> {
  const { scheduler } = process
  const { random } = scheduler

  function delay(): number {
    const slow = random.uniform() < 0.05 ? 20 : 1
    return random.uniform() * conditions.faults().delayMs * slow
  }

  /** Carries something one way, or loses it. */
  function carry(what: string, arrive: () => void): void {
    if (random.uniform() < conditions.faults().loss || conditions.partitioned(organisation))
      return scheduler.trace('network', `loses ${what} of ${organisation}`)
    scheduler.after(delay(), () => {
      if (!conditions.partitioned(organisation)) arrive()
    })
  }

  async function serve<T>(request: string, detail: unknown, work: (hub: Hub) => Promise<T>): Promise<Answer<T>> {
    const hub = conditions.hub()
    if (hub === undefined) {
      await scheduler.sleep(REFUSED_MS)
      return { error: new EntenteError('unavailable', 'the hub refuses the connection') }
    }
    try {
      const value = await work(hub)
      scheduler.trace('network', `the hub answers ${request} of ${organisation}`)
      conditions.acknowledged?.(organisation, request, detail, value)
      return { value }
    } catch (error) {
      return { error: overTheWire(error) }
    }
  }

  async function call<T>(
    request: string,
    detail: unknown,
    work: (hub: Hub) => Promise<T>,
    { waitMs = 0, signal }: CallOptions = {},
  ): Promise<T> {
    await process.point(`send ${request}`)
    const answer = await new Promise<Answer<T>>((resolve) => {
      const unanswered = (reason: string) => resolve({ error: new EntenteError('unavailable', reason) })
      process.after(TIMEOUT_MS + waitMs, () => unanswered('the hub does not answer'))
      if (signal?.aborted === true) return unanswered('aborted')
      signal?.addEventListener('abort', () => unanswered('aborted'), { once: true })
      const copies = random.uniform() < conditions.faults().duplicate ? 2 : 1
      for (let i = 0; i < copies; i++)
        carry(
          request,
          () => void serve(request, detail, work).then((reply) => carry(`answer to ${request}`, () => resolve(reply))),
        )
    })
    await process.point(`answer to ${request}${'error' in answer ? `: ${answer.error.code}` : ''}`)
    if ('error' in answer) throw answer.error
    return answer.value
  }

  return { call }
}

/** What of an error reaches the other side. */
function overTheWire(error: unknown): EntenteError {
  if (!(error instanceof EntenteError)) return new EntenteError('internal', `the hub failed: ${String(error)}`)
  return new EntenteError(error.code, error.message, { details: structuredClone(error.details) })
}

/** A model of the simulator is two of these. */
const CHUNK_BYTES = 400

/** HubConnection over a line, with uploads and downloads that resume as those over HTTPS do. */
export function createConnection(
  line: Line,
  process: Process,
  organisation: OrganisationId,
  conditions: NetworkConditions,
): HubConnection {
  const { random } = process.scheduler

  async function* chunkOf(bytes: Uint8Array): AsyncIterable<Uint8Array> {
    if (random.uniform() >= conditions.faults().torn) return yield bytes
    yield bytes.slice(0, random.below(bytes.length + 1))
    fail('blob-truncated', 'the connection broke in the middle of a chunk')
  }

  async function uploadFrom(digest: Digest, blobs: Blobs): Promise<void> {
    const reader = await blobs.open(digest)
    const { size } = reader
    let sent = {
      offset: await line.call('upload-offset', digest, (hub) => hub.ports.blobs.uploadOffset(digest)),
      complete: false,
    }
    while (!sent.complete) {
      // Of its own: a copy of the request may arrive after the answer to the first one.
      const { offset } = sent
      const bytes = new Uint8Array(Math.min(CHUNK_BYTES, Math.max(0, size - offset)))
      await reader.read(Math.min(offset, size), bytes)
      sent = await line.call('upload', digest, (hub) =>
        hub.ports.blobs.uploadChunk(digest, size, offset, chunkOf(bytes)),
      )
    }
  }

  async function upload(digest: Digest, blobs: Blobs): Promise<void> {
    for (;;) {
      try {
        return await uploadFrom(digest, blobs)
      } catch (error) {
        if (!isInterruption(error)) throw error
      }
    }
  }

  /** As over HTTPS: what a crash left of an earlier download is kept, and only the rest is asked for. */
  async function download(digest: Digest, blobs: Blobs): Promise<void> {
    while ((await blobs.size(digest)) === undefined) {
      const offset = await blobs.uploadOffset(digest)
      const { size, bytes } = await line.call('download', digest, (hub) => readFrom(hub, digest, offset))
      try {
        await blobs.uploadChunk(digest, size, offset, chunkOf(bytes))
      } catch (error) {
        if (!isInterruption(error)) throw error
      }
    }
  }

  return {
    deliver: (envelope) => {
      const sent = structuredClone(envelope)
      return line.call(`deliver ${envelope.header.type}`, sent, (hub) =>
        hub.receive(structuredClone(sent), { peer: organisation }),
      )
    },
    poll: (after, waitMs, signal) =>
      line.call(
        `poll ${after}`,
        after,
        (hub) => hub.mailbox(organisation, after, waitMs, new AbortController().signal),
        {
          waitMs,
          signal,
        },
      ),
    upload,
    download,
  }
}

/** Two attempts of one upload overtook each other, or the connection broke: the receiver knows where to go on. */
function isInterruption(error: unknown): boolean {
  return error instanceof EntenteError && (error.code === 'offset-mismatch' || error.code === 'blob-truncated')
}

async function readFrom(
  hub: HubEndpoint,
  digest: Digest,
  offset: number,
): Promise<{ size: number; bytes: Uint8Array }> {
  if (!(await hub.isPublished(digest))) fail('not-found', `no block records the model ${digest}`)
  const reader = await hub.ports.blobs.open(digest)
  const { size } = reader
  const bytes = new Uint8Array(Math.min(CHUNK_BYTES, Math.max(0, size - offset)))
  await reader.read(Math.min(offset, size), bytes)
  await reader.close()
  return { size, bytes }
}
