/**
 * A round under encryption among made-up organisations, with real ciphertexts of a test key: both machines, blobs, a wire that
 * an attacker may alter, and a record of what everybody sent. For tests.
 */

import { toBase64Url, utf8 } from '../../../base/bytes.ts'
import { EntenteError, fail } from '../../../base/errors.ts'
import { sha256, sha256Hex } from '../../../base/hash.ts'
import { type Digest, federationId, type OrganisationId, organisationId, roundId } from '../../../base/ids.ts'
import { prng } from '../../../base/prng.ts'
import { publicKeyOf, type SecretKey } from '../../../base/signature.ts'
import { keystream } from '../../masking/keystream.ts'
import { DEFAULT_POLICY } from '../../masking/plan.ts'
import { quantise } from '../../masking/quantise.ts'
import { integersOf, scaleOf } from '../packing.ts'
import { dealForTest, openForTest } from '../paillier/fixtures.ts'
import type { Dealt, HomomorphicScheme } from '../scheme.ts'
import type { ClientEffect, ClientEvent, ClientState } from './client-state.ts'
import { encryptionClient } from './client.ts'
import type { EncryptionContext } from './context.ts'
import { type MessageType, parseMessage } from './messages.ts'
import type { ServerEffect, ServerEvent, ServerState } from './server-state.ts'
import { decryptionServer } from './server.ts'
import { digestOf } from '../../../base/hash.ts'

export const LENGTH = 40
export const PHASE_MS = 1000
export const nameOf = (i: number): OrganisationId => organisationId(`org-${i}`)
export const identityOf = (name: string): SecretKey => {
  const known = identities.get(name) ?? sha256(utf8(`identity of ${name}`))
  identities.set(name, known)
  return known
}
const identities = new Map<string, SecretKey>()

export interface Letter {
  readonly from: OrganisationId | 'hub'
  readonly to: OrganisationId | 'hub'
  readonly message: MessageType
  readonly body: unknown
}

export interface WorldOptions {
  readonly count: number
  readonly threshold?: number
  readonly length?: number
  /** Another key than the test's, of the same names and threshold. */
  readonly key?: { readonly dealt: Dealt; readonly scheme: HomomorphicScheme }
  /** Goes around every piece of work on vectors: to time it. */
  readonly around?: <T>(what: string, work: () => Promise<T>) => Promise<T>
  /** Who is silent from a message on. */
  readonly silent?: (letter: Letter) => boolean
  /** What becomes of a letter. */
  readonly intercept?: (letter: Letter, world: World) => readonly Letter[]
  /** The hub's work that fails for good. */
  readonly failing?: 'sum' | 'combine'
  /** What becomes of a blob that an organisation stores. */
  readonly tamper?: (owner: OrganisationId, message: MessageType, bytes: Uint8Array) => Uint8Array
}

const stored = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T

export class World {
  readonly context: EncryptionContext
  readonly dealt: Dealt
  readonly scheme: HomomorphicScheme
  hub: ServerState = { phase: 'idle' }
  readonly clients = new Map<OrganisationId, ClientState>()
  readonly blobs = new Map<Digest, Uint8Array>()
  readonly integers = new Map<OrganisationId, Int32Array>()
  readonly sent: Letter[] = []
  readonly refused: { readonly letter: Letter; readonly error: EntenteError }[] = []
  readonly hubLog: ServerEvent[] = []
  readonly clientLogs = new Map<OrganisationId, ClientEvent[]>()
  sums: Float64Array | undefined
  now = 0
  readonly #options: WorldOptions
  readonly #work: (() => Promise<void>)[] = []
  readonly #timers: { readonly at: number; readonly event: ServerEvent }[] = []

  constructor(options: WorldOptions) {
    this.#options = options
    const organisations = Array.from({ length: options.count }, (_, i) => nameOf(i))
    const threshold = options.threshold ?? Math.floor((2 * options.count) / 3) + 1
    const request = { organisations, threshold, levels: 32_767, contributionsMax: options.count }
    this.dealt = options.key?.dealt ?? dealForTest(request)
    this.scheme = options.key?.scheme ?? openForTest(this.dealt.parameters)
    this.context = {
      federation: federationId('test.example'),
      round: roundId('training-1'),
      task: digestOf('task'),
      invited: organisations.map((organisation) => ({
        organisation,
        publicKey: publicKeyOf(identityOf(organisation)),
      })),
      scheme: this.scheme.kind,
      parameters: this.scheme.parameters,
      threshold,
      levels: 32_767,
      length: options.length ?? LENGTH,
      vectorBytes: this.scheme.vectorBytes(options.length ?? LENGTH),
      clip: 1,
      weightMax: 1000,
      policy: DEFAULT_POLICY,
    }
    for (const organisation of organisations) this.clients.set(organisation, { phase: 'idle' })
  }

  weightOf = (organisation: OrganisationId): number => 100 + 7 * Number(organisation.slice(4))

  /** Opens the round and lets it run until nothing is left to happen. */
  async run(): Promise<this> {
    await this.tellHub({ type: 'opened', context: this.context, phaseMs: PHASE_MS, deadline: PHASE_MS, at: 0 })
    for (const organisation of this.clients.keys())
      await this.tell(organisation, {
        type: 'opened',
        context: this.context,
        weight: this.weightOf(organisation),
        rounding: organisation,
        seed: toBase64Url(sha256(utf8(`seed of ${organisation}`))),
        at: 0,
      })
    return this.settle()
  }

  async settle(): Promise<this> {
    for (;;) {
      const work = this.#work.shift()
      if (work !== undefined) {
        await work()
        continue
      }
      const timer = this.#timers.sort((a, b) => a.at - b.at).shift()
      if (timer === undefined) return this
      this.now = Math.max(this.now, timer.at)
      await this.tellHub(timer.event)
    }
  }

  async tellHub(event: ServerEvent): Promise<void> {
    const { state, effects } = decryptionServer().step(this.hub, stored(event))
    this.hub = stored(state)
    this.hubLog.push(event)
    for (const effect of effects) this.#work.push(() => this.#perform(stored(effect)))
  }

  async tell(organisation: OrganisationId, event: ClientEvent): Promise<void> {
    const machine = encryptionClient({ organisation, secret: identityOf(organisation) })
    const { state, effects } = machine.step(this.clients.get(organisation) ?? { phase: 'idle' }, stored(event))
    this.clients.set(organisation, stored(state))
    this.clientLogs.set(organisation, [...(this.clientLogs.get(organisation) ?? []), event])
    for (const effect of effects) this.#work.push(() => this.#performFor(organisation, stored(effect)))
  }

  readonly #around = <T>(what: string, work: () => Promise<T>): Promise<T> =>
    this.#options.around === undefined ? work() : this.#options.around(what, work)

  store(bytes: Uint8Array): Digest {
    const digest = sha256Hex(bytes)
    this.blobs.set(digest, bytes)
    return digest
  }

  blob = (digest: Digest): Uint8Array => this.blobs.get(digest) ?? new Uint8Array(0)

  async #perform(effect: ServerEffect): Promise<void> {
    const at = this.now
    if (effect.type === this.#options.failing) return this.tellHub({ type: 'work-failed', message: 'unreadable', at })
    switch (effect.type) {
      case 'after':
        this.#timers.push({ at: effect.at, event: effect.event as ServerEvent })
        return
      case 'send':
        for (const to of effect.to) this.#post({ from: 'hub', to, message: effect.message, body: effect.body })
        return
      case 'sum': {
        const vectors = effect.vectors.map(this.blob)
        const sum = this.store(await this.#around('hub: sum', () => this.scheme.add(vectors)))
        return this.tellHub({ type: 'summed', sum, at })
      }
      case 'combine': {
        const partials = effect.partials.map(({ organisation, partial }) => ({
          organisation,
          bytes: this.blob(partial),
        }))
        const combination = await this.#around('hub: verify and open', () =>
          this.scheme.combine(this.blob(effect.sum), partials, effect.statement),
        )
        const { blamed } = combination
        if (!combination.opened) return this.tellHub({ type: 'not-combined', reason: combination.reason, blamed, at })
        this.sums = combination.sums
        const sums = sha256Hex(new Uint8Array(combination.sums.buffer))
        return this.tellHub({ type: 'combined', sums, used: combination.used, blamed, at })
      }
      case 'notify-abandoned':
        for (const to of effect.to) await this.tell(to, { type: 'abandoned', reason: effect.reason, at })
    }
  }

  async #performFor(organisation: OrganisationId, effect: ClientEffect): Promise<void> {
    const at = this.now
    const keep = (message: MessageType, bytes: Uint8Array): Digest =>
      this.store(this.#options.tamper?.(organisation, message, bytes) ?? bytes)
    switch (effect.type) {
      case 'send':
        return this.#post({ from: organisation, to: 'hub', message: effect.message, body: effect.body })
      case 'encrypt': {
        const random = prng(`update of ${organisation}`)
        const update = Float32Array.from({ length: this.context.length }, () => 2 * random.uniform() - 1)
        const scale = scaleOf(this.scheme, effect.clip, effect.weightMax)
        const { words } = quantise(update, effect.weight, scale, keystream(sha256(utf8(effect.rounding))))
        const integers = integersOf(words)
        this.integers.set(organisation, integers)
        const seed = sha256(utf8(effect.seed))
        const bytes = await this.#around('organisation: encrypt', () =>
          this.scheme.encrypt(integers, seed, effect.statement),
        )
        const vector = keep('encryption-contribution', bytes)
        return this.tell(organisation, { type: 'encrypted', vector, at })
      }
      case 'sum': {
        const sum = await this.#around('organisation: check and sum', () => this.#checkedSum(effect))
        return this.tell(organisation, { type: 'summed', sum, at })
      }
      case 'open-partially': {
        const share = this.dealt.shares.find((one) => one.organisation === organisation)?.share
        const seed = sha256(utf8(effect.seed))
        const bytes = await this.#around('organisation: open partially', () =>
          this.scheme.partialDecrypt(this.blob(effect.sum), share, effect.statement, seed),
        )
        return this.tell(organisation, { type: 'partially-opened', partial: keep('encryption-partial', bytes), at })
      }
      case 'give':
        return this.#post({ from: organisation, to: 'hub', message: 'encryption-partial', body: effect.body })
      default:
        return
    }
  }

  /** As an organisation must: a "contribution" that is itself a sum could be one of another round. */
  async #checkedSum({ vectors, statements }: Extract<ClientEffect, { type: 'sum' }>): Promise<Digest> {
    for (const [i, vector] of vectors.entries()) {
      const { length, contributions } = await this.scheme.check(this.blob(vector), statements[i])
      if (length !== this.context.length || contributions !== 1) fail('wrong-shape', 'a vector is no contribution')
    }
    return sha256Hex(await this.scheme.add(vectors.map(this.blob)))
  }

  #post(letter: Letter): void {
    if (this.#options.silent?.(letter) === true) return
    this.sent.push(letter)
    for (const one of this.#options.intercept?.(letter, this) ?? [letter]) this.#work.push(() => this.deliver(one))
  }

  async deliver(letter: Letter): Promise<void> {
    try {
      const { from, to, message } = letter
      const body = parseMessage(message, stored(letter.body))
      if (to === 'hub') await this.tellHub(hubEvent(message, from as OrganisationId, body, this.now))
      else await this.tell(to, clientEvent(message, body, this.now))
    } catch (error) {
      if (!(error instanceof EntenteError)) throw error
      this.refused.push({ letter, error })
    }
  }
}

function hubEvent(message: MessageType, from: OrganisationId, body: unknown, at: number): ServerEvent {
  const events: Partial<Record<MessageType, object>> = {
    'encryption-join': { type: 'joined', join: body },
    'encryption-contribution': { type: 'contribution', contribution: body },
    'encryption-agreement': { type: 'agreement', agreement: body },
    'encryption-partial': { type: 'partial', partial: body },
  }
  return { ...events[message], from, at } as ServerEvent
}

function clientEvent(message: MessageType, body: unknown, at: number): ClientEvent {
  const events: Partial<Record<MessageType, object>> = {
    'encryption-roster': { type: 'roster', members: body },
    'encryption-list': { type: 'list', list: body },
    'encryption-quorum': { type: 'quorum', agreements: body },
  }
  return { ...events[message], at } as ClientEvent
}
