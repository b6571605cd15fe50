/**
 * What every implementation of Store, Jobs and Blobs must do. Product and simulator run the same claims, so that a
 * fault found on virtual time means something for Postgres and files.
 */

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { utf8 } from '../base/bytes.ts'
import { type Envelope, signEnvelope } from '../base/envelope.ts'
import { EntenteError } from '../base/errors.ts'
import { sha256Hex } from '../base/hash.ts'
import { type Digest, federationId, organisationId, type Party } from '../base/ids.ts'
import type { Blobs, Clock, Job, Jobs, Store } from './ports.ts'

export interface OpenedStore {
  readonly store: Store
  close(): Promise<void>
}

export interface OpenedJobs extends OpenedStore {
  readonly jobs: Jobs
  readonly clock: Clock
  sleep(ms: number): Promise<void>
  /**
   * Kills the process that runs `jobs` without ceremony, and starts another one on the same storage. Absent where an
   * implementation cannot do this in a test.
   */
  readonly restart?: () => Promise<Pick<OpenedJobs, 'store' | 'jobs'>>
}

export interface OpenedBlobs {
  readonly blobs: Blobs
  close(): Promise<void>
}

const bankA = organisationId('bank-a')
const bankB = organisationId('bank-b')

/** An envelope that is well-formed; stores do not check signatures. */
export function testEnvelope(id: string, from: Party = bankA, to: Party = 'hub'): Envelope {
  const federation = federationId('suite.example')
  return signEnvelope(
    { type: 'test', id, from, to, federation, issuedAt: 1, expiresAt: 2 },
    { id },
    new Uint8Array(32).fill(7),
  )
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  return error instanceof EntenteError ? error.code : String(error)
}

/** Appends one event to a stream, as drive does. */
async function appendTo(store: Store, stream: string, id: string, state: unknown): Promise<void> {
  await store.transact(async (transaction) => {
    const held = await transaction.lockStream(stream)
    await transaction.append(stream, { seq: held?.seq ?? 0, id, event: { id } }, state)
  })
}

function recordIn(store: Store, envelope: Envelope): Promise<boolean> {
  return store.transact((transaction) => transaction.recordEnvelope(envelope))
}

export function describeStore(name: string, open: () => Promise<OpenedStore>): void {
  describe(`Store: ${name}`, () => {
    let opened: OpenedStore
    let store: Store
    beforeEach(async () => {
      opened = await open()
      store = opened.store
    })
    afterEach(() => opened.close())

    it('has nothing before the first event', async () => {
      expect(await store.readStream('round/r1')).toBeUndefined()
      expect(await store.readEvents('round/r1')).toEqual([])
      expect(await store.listStreams('round')).toEqual([])
      expect(await store.readRecord('ledger', '0')).toBeUndefined()
      expect(await store.readValue('cursor')).toBeUndefined()
      expect(await store.readMail(bankA, 0, 10)).toEqual([])
    })

    it('returns events in order, and the state after the last one', async () => {
      await appendTo(store, 'round/r1', 'a', { n: 1 })
      await appendTo(store, 'round/r1', 'b', { n: 2, nested: { list: [1, 'two', null] } })
      expect(await store.readStream('round/r1')).toEqual({
        seq: 2,
        state: { n: 2, nested: { list: [1, 'two', null] } },
      })
      expect(await store.readEvents('round/r1')).toEqual([
        { seq: 0, id: 'a', event: { id: 'a' } },
        { seq: 1, id: 'b', event: { id: 'b' } },
      ])
    })

    it('forgets what events said, not that they happened, nor those of other streams', async () => {
      for (const stream of ['masking/r1', 'masking/r10']) await appendTo(store, stream, 'a', { n: 1 })
      await store.transact(async (transaction) => {
        await transaction.lockStream('masking/r1')
        await transaction.append('masking/r1', { seq: 1, id: 'b', event: { id: 'b' } }, { n: 2 })
        await transaction.forgetEvents('masking/r1')
      })
      expect(await store.readEvents('masking/r1')).toEqual([
        { seq: 0, id: 'a', event: {} },
        { seq: 1, id: 'b', event: {} },
      ])
      expect(await store.readStream('masking/r1')).toEqual({ seq: 2, state: { n: 2 } })
      expect((await store.readEvents('masking/r10'))[0]?.event).toEqual({ id: 'a' })
      expect(await store.transact((transaction) => transaction.hasEvent('masking/r1', 'a'))).toBe(true)
    })

    it('keeps numbers and text exactly as they were', async () => {
      const state = {
        third: 1 / 3,
        tiny: 5e-324,
        large: 1.7976931348623157e308,
        safe: 9007199254740991,
        text: 'ä\u2028"\\😀',
      }
      await appendTo(store, 'round/r1', 'a', state)
      expect((await store.readStream('round/r1'))?.state).toEqual(state)
    })

    it('lists the streams of one kind, sorted', async () => {
      for (const stream of ['round/b', 'round/a', 'rounds/x', 'ledger']) await appendTo(store, stream, 'a', {})
      expect(await store.listStreams('round')).toEqual(['round/a', 'round/b'])
      expect(await store.listStreams('ledger')).toEqual(['ledger'])
    })

    it('sees an event of the same transaction and of earlier ones, and of this stream only', async () => {
      await appendTo(store, 'round/r1', 'a', {})
      const seen = await store.transact(async (transaction) => {
        await transaction.lockStream('round/r1')
        await transaction.append('round/r1', { seq: 1, id: 'b', event: {} }, {})
        const has = (stream: string, id: string) => transaction.hasEvent(stream, id)
        return [
          await has('round/r1', 'a'),
          await has('round/r1', 'b'),
          await has('round/r1', 'c'),
          await has('round/r2', 'a'),
        ]
      })
      expect(seen).toEqual([true, true, false, false])
    })

    it('leaves nothing of a transaction that throws, and rethrows its error', async () => {
      const refused = new EntenteError('round-closed', 'too late')
      const work = store.transact(async (transaction) => {
        await transaction.lockStream('round/r1')
        await transaction.append('round/r1', { seq: 0, id: 'a', event: {} }, {})
        await transaction.writeRecords([{ collection: 'c', key: 'k', value: 1 }])
        await transaction.recordEnvelope(testEnvelope('e1'))
        await transaction.postMail(bankB, testEnvelope('m1', 'hub', bankB))
        await transaction.setValue('cursor', 1)
        throw refused
      })
      await expect(work).rejects.toBe(refused)
      expect(await store.readStream('round/r1')).toBeUndefined()
      expect(await store.readRecord('c', 'k')).toBeUndefined()
      expect(await store.readMail(bankB, 0, 10)).toEqual([])
      expect(await store.readValue('cursor')).toBeUndefined()
      expect(await store.transact((transaction) => transaction.recordEnvelope(testEnvelope('e1')))).toBe(true)
    })

    it('lets one transaction at a time into a stream, also into one without events', async () => {
      const bump = (id: number) =>
        store.transact(async (transaction) => {
          const held = await transaction.lockStream('round/r1')
          const count = (held?.state as { count: number } | undefined)?.count ?? 0
          await transaction.append('round/r1', { seq: held?.seq ?? 0, id: `e${id}`, event: {} }, { count: count + 1 })
        })
      await Promise.all(Array.from({ length: 12 }, (_, id) => bump(id)))
      expect(await store.readStream('round/r1')).toEqual({ seq: 12, state: { count: 12 } })
      expect((await store.readEvents('round/r1')).map((event) => event.seq)).toEqual(
        Array.from({ length: 12 }, (_, seq) => seq),
      )
    })

    it('replaces records, and reads ranges in key order up to the limit', async () => {
      const write = (key: string, value: unknown) =>
        store.transact((transaction) => transaction.writeRecords([{ collection: 'ledger', key, value }]))
      for (const key of ['000002', '000000', '000001', '000010']) await write(key, { key })
      await write('000001', { replaced: true })
      await store.transact((transaction) =>
        transaction.writeRecords([{ collection: 'model', key: '000001', value: 0 }]),
      )
      expect(await store.readRecord('ledger', '000001')).toEqual({ replaced: true })
      expect((await store.readRecords('ledger', '000001', '000010', 10)).map((record) => record.key)).toEqual([
        '000001',
        '000002',
        '000010',
      ])
      expect(await store.readRecords('ledger', '000000', '999999', 2)).toEqual([
        { key: '000000', value: { key: '000000' } },
        { key: '000001', value: { replaced: true } },
      ])
    })

    it('records an envelope once per sender and id', async () => {
      expect(await recordIn(store, testEnvelope('e1'))).toBe(true)
      expect(await recordIn(store, testEnvelope('e1'))).toBe(false)
      expect(await recordIn(store, testEnvelope('e1', bankB))).toBe(true)
      const racing = await Promise.all(Array.from({ length: 6 }, () => recordIn(store, testEnvelope('e2'))))
      expect(racing.filter(Boolean)).toHaveLength(1)
    })

    it('numbers the mail of a recipient from 1 without gaps, and posts an envelope once', async () => {
      const post = (id: string, to: Party = bankB) =>
        store.transact((transaction) => transaction.postMail(to, testEnvelope(id, 'hub', to)))
      await Promise.all(Array.from({ length: 8 }, (_, i) => post(`m${i}`)))
      await post('m3')
      await post('m3', bankA)
      const mail = await store.readMail(bankB, 0, 100)
      expect(mail.map(({ position }) => position)).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
      expect(mail.map(({ envelope }) => envelope.header.id).toSorted()).toEqual(
        Array.from({ length: 8 }, (_, i) => `m${i}`),
      )
      expect(await store.readMail(bankB, 6, 1)).toEqual(mail.slice(6, 7))
      expect((await store.readMail(bankA, 0, 10)).map(({ position }) => position)).toEqual([1])
    })

    it('wakes whoever waits for mail, and gives up after the wait or on the signal', async () => {
      const never = new AbortController()
      const woken = store.awaitMail(bankB, 0, 60_000, never.signal)
      await store.transact((transaction) => transaction.postMail(bankB, testEnvelope('m1', 'hub', bankB)))
      await woken
      await store.awaitMail(bankB, 0, 60_000, never.signal)
      await store.awaitMail(bankB, 1, 30, never.signal)
      const aborted = new AbortController()
      const waiting = store.awaitMail(bankB, 1, 60_000, aborted.signal)
      aborted.abort()
      await waiting
    })

    it('keeps the last value of a name', async () => {
      for (const value of [1, { cursor: 2 }])
        await store.transact((transaction) => transaction.setValue('cursor', value))
      expect(await store.readValue('cursor')).toEqual({ cursor: 2 })
    })
  })
}

function job(id: string, runAt?: number): Job {
  return { id, stream: 'round/r1', effect: { type: 'test', id }, ...(runAt === undefined ? {} : { runAt }) }
}

function enqueue(store: Store, ...jobs: readonly Job[]): Promise<void> {
  return store.transact((transaction) => transaction.enqueue(jobs))
}

export function describeJobs(name: string, open: () => Promise<OpenedJobs>): void {
  describe(`Jobs: ${name}`, () => {
    let opened: OpenedJobs
    beforeEach(async () => {
      opened = await open()
    })
    afterEach(() => opened.close())

    async function until(condition: () => boolean): Promise<void> {
      for (let tries = 0; !condition() && tries < 1500; tries++) await opened.sleep(10)
      expect(condition()).toBe(true)
    }

    it('carries out every job, enqueued before the start or after it', async () => {
      const seen = new Map<string, Job>()
      await enqueue(opened.store, job('round/r1/0/0'), job('round/r1/0/1'))
      await opened.jobs.start(async (taken) => void seen.set(taken.id, taken))
      await enqueue(opened.store, job('round/r1/1/0'))
      await until(() => seen.size === 3)
      expect(seen.get('round/r1/1/0')).toEqual(job('round/r1/1/0'))
    })

    it('carries out nothing of a transaction that was rolled back', async () => {
      const seen: string[] = []
      await opened.jobs.start(async (taken) => void seen.push(taken.id))
      const work = opened.store.transact(async (transaction) => {
        await transaction.enqueue([job('round/r1/0/0')])
        throw new Error('rolled back')
      })
      await expect(work).rejects.toThrow('rolled back')
      await enqueue(opened.store, job('round/r1/0/1'))
      await until(() => seen.length > 0)
      await opened.sleep(100)
      expect(seen).toEqual(['round/r1/0/1'])
    })

    it('does not carry out a timer before its time', async () => {
      let ranAt: number | undefined
      const runAt = opened.clock.now() + 400
      await opened.jobs.start(async () => void (ranAt = opened.clock.now()))
      await enqueue(opened.store, job('round/r1/0/0', runAt))
      await until(() => ranAt !== undefined)
      expect(ranAt).toBeGreaterThanOrEqual(runAt - 5)
    })

    it('tries a job again whose handler throws, and the others meanwhile', async () => {
      const seen: string[] = []
      await opened.jobs.start(async ({ id }) => {
        seen.push(id)
        if (id === 'round/r1/0/0' && seen.filter((other) => other === id).length < 2)
          throw new EntenteError('unavailable', 'not now')
      })
      await enqueue(opened.store, job('round/r1/0/0'), job('round/r1/0/1'))
      await until(() => seen.filter((id) => id === 'round/r1/0/0').length === 2)
      expect(seen).toContain('round/r1/0/1')
    })

    it('waits for the jobs under way when it stops, and takes no more', async () => {
      let begun = false
      let finished = false
      await opened.jobs.start(async () => {
        begun = true
        await opened.sleep(100)
        finished = true
      })
      await enqueue(opened.store, job('round/r1/0/0'))
      await until(() => begun)
      await opened.jobs.stop()
      expect(finished).toBe(true)
      await enqueue(opened.store, job('round/r1/1/0'))
      begun = false
      await opened.sleep(200)
      expect(begun).toBe(false)
    })

    it('takes over the jobs of a process that died', async (test) => {
      if (opened.restart === undefined) return test.skip()
      let begun = false
      await opened.jobs.start(async () => {
        begun = true
        await new Promise(() => undefined)
      })
      await enqueue(opened.store, job('round/r1/0/0'))
      await until(() => begun)
      const next = await opened.restart()
      const seen: string[] = []
      await next.jobs.start(async (taken) => void seen.push(taken.id))
      await until(() => seen.length > 0)
      expect(seen).toEqual(['round/r1/0/0'])
    })
  })
}

async function* chunked(bytes: Uint8Array, size = 3): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function* broken(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes
  throw new EntenteError('blob-truncated', 'the connection broke')
}

export function describeBlobs(name: string, open: () => Promise<OpenedBlobs>): void {
  describe(`Blobs: ${name}`, () => {
    let opened: OpenedBlobs
    let blobs: Blobs
    const bytes = utf8('a model of forty bytes, more or less ...')
    const digest = sha256Hex(bytes)
    const other = sha256Hex(utf8('something else'))
    beforeEach(async () => {
      opened = await open()
      blobs = opened.blobs
    })
    afterEach(() => opened.close())

    async function contentOf(wanted: Digest): Promise<Uint8Array> {
      const reader = await blobs.open(wanted)
      const content = new Uint8Array(reader.size)
      await reader.read(0, content)
      await reader.close()
      return content
    }

    it('returns what was written, under its SHA-256', async () => {
      const writer = await blobs.create()
      for await (const chunk of chunked(bytes)) await writer.write(chunk)
      expect(await writer.commit(digest)).toEqual({ digest, size: bytes.length })
      expect(await blobs.size(digest)).toBe(bytes.length)
      expect(await contentOf(digest)).toEqual(bytes)
    })

    it('may reuse the chunk that the caller wrote', async () => {
      const writer = await blobs.create()
      const chunk = new Uint8Array(4)
      for (let at = 0; at < bytes.length; at += 4) {
        chunk.set(bytes.subarray(at, at + 4))
        await writer.write(chunk.subarray(0, Math.min(4, bytes.length - at)))
      }
      expect((await writer.commit()).digest).toBe(digest)
    })

    it('keeps nothing of bytes that do not have the expected digest', async () => {
      const writer = await blobs.create()
      await writer.write(bytes)
      expect(await codeOf(writer.commit(other))).toBe('digest-mismatch')
      expect(await blobs.size(other)).toBeUndefined()
      expect(await blobs.size(digest)).toBeUndefined()
    })

    it('keeps nothing of a writer that was aborted', async () => {
      const writer = await blobs.create()
      await writer.write(bytes)
      await writer.abort()
      expect(await blobs.size(digest)).toBeUndefined()
    })

    it('says that a blob is missing, and that a read goes beyond the end', async () => {
      expect(await blobs.size(digest)).toBeUndefined()
      expect(await codeOf(blobs.open(digest))).toBe('blob-missing')
      await blobs.uploadChunk(digest, bytes.length, 0, chunked(bytes))
      const reader = await blobs.open(digest)
      const tail = new Uint8Array(4)
      await reader.read(bytes.length - 4, tail)
      expect(tail).toEqual(bytes.subarray(-4))
      expect(await codeOf(reader.read(bytes.length - 3, tail))).toBe('blob-truncated')
      await reader.close()
    })

    it('completes an upload in several chunks, and says so again to whoever lost the answer', async () => {
      expect(await blobs.uploadOffset(digest)).toBe(0)
      expect(await blobs.uploadChunk(digest, bytes.length, 0, chunked(bytes.subarray(0, 10)))).toEqual({
        offset: 10,
        complete: false,
      })
      expect(await blobs.uploadOffset(digest)).toBe(10)
      expect(await blobs.size(digest)).toBeUndefined()
      const whole = { offset: bytes.length, complete: true }
      expect(await blobs.uploadChunk(digest, bytes.length, 10, chunked(bytes.subarray(10)))).toEqual(whole)
      expect(await blobs.uploadOffset(digest)).toBe(bytes.length)
      expect(await blobs.uploadChunk(digest, bytes.length, 10, chunked(bytes.subarray(10)))).toEqual(whole)
      expect(await contentOf(digest)).toEqual(bytes)
    })

    it('keeps what arrived before the connection broke', async () => {
      expect(await codeOf(blobs.uploadChunk(digest, bytes.length, 0, broken(bytes.subarray(0, 12))))).toBe(
        'blob-truncated',
      )
      const offset = await blobs.uploadOffset(digest)
      expect(offset).toBe(12)
      await blobs.uploadChunk(digest, bytes.length, offset, chunked(bytes.subarray(offset)))
      expect(await contentOf(digest)).toEqual(bytes)
    })

    it('completes an upload whose connection broke after the last byte', async () => {
      expect(await codeOf(blobs.uploadChunk(digest, bytes.length, 0, broken(bytes)))).toBe('blob-truncated')
      const offset = await blobs.uploadOffset(digest)
      const rest = chunked(bytes.subarray(offset))
      expect(await blobs.uploadChunk(digest, bytes.length, offset, rest)).toEqual({
        offset: bytes.length,
        complete: true,
      })
      expect(await contentOf(digest)).toEqual(bytes)
    })

    it('refuses a chunk at another offset, and names the right one', async () => {
      await blobs.uploadChunk(digest, bytes.length, 0, chunked(bytes.subarray(0, 10)))
      const error = await blobs
        .uploadChunk(digest, bytes.length, 4, chunked(bytes.subarray(4)))
        .catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({ code: 'offset-mismatch', details: { offset: 10 } })
    })

    it('removes an upload whose bytes are not those of the digest', async () => {
      expect(await codeOf(blobs.uploadChunk(other, bytes.length, 0, chunked(bytes)))).toBe('digest-mismatch')
      expect(await blobs.uploadOffset(other)).toBe(0)
      expect(await blobs.size(other)).toBeUndefined()
    })

    it('removes a blob, once more without complaint, and takes it again', async () => {
      await blobs.remove(digest)
      for (let time = 0; time < 2; time++) {
        await blobs.uploadChunk(digest, bytes.length, 0, chunked(bytes))
        await blobs.remove(digest)
        await blobs.remove(digest)
        expect(await blobs.size(digest)).toBeUndefined()
        expect(await codeOf(blobs.open(digest))).toBe('blob-missing')
        expect(await blobs.uploadOffset(digest)).toBe(0)
      }
    })

    it('removes no other blob, and none from under whoever reads it', async () => {
      await blobs.uploadChunk(digest, bytes.length, 0, chunked(bytes))
      await blobs.remove(`${digest.slice(0, 2)}${other.slice(2)}` as Digest)
      const reader = await blobs.open(digest)
      await blobs.remove(digest)
      const content = new Uint8Array(reader.size)
      await reader.read(0, content)
      await reader.close()
      expect(content).toEqual(bytes)
      expect(await blobs.size(digest)).toBeUndefined()
    })

    it('leaves an upload that has begun alone', async () => {
      await blobs.uploadChunk(digest, bytes.length, 0, chunked(bytes.subarray(0, 10)))
      await blobs.remove(digest)
      expect(await blobs.uploadOffset(digest)).toBe(10)
    })

    it('refuses more bytes than announced', async () => {
      expect(await codeOf(blobs.uploadChunk(digest, bytes.length - 1, 0, chunked(bytes)))).toBe('body-too-large')
      expect(await blobs.size(digest)).toBeUndefined()
    })

    it('stores an empty blob', async () => {
      const empty = sha256Hex()
      expect(await blobs.uploadChunk(empty, 0, 0, chunked(new Uint8Array(0)))).toEqual({ offset: 0, complete: true })
      expect(await blobs.size(empty)).toBe(0)
      expect(await contentOf(empty)).toEqual(new Uint8Array(0))
    })

    it('takes two uploads of one blob at a time without mixing their bytes', async () => {
      const upload = () => blobs.uploadChunk(digest, bytes.length, 0, chunked(bytes))
      const outcomes = await Promise.allSettled([upload(), upload(), upload()])
      expect(outcomes.some(({ status }) => status === 'fulfilled')).toBe(true)
      for (const outcome of outcomes)
        if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'offset-mismatch' })
      expect(await contentOf(digest)).toEqual(bytes)
    })
  })
}
