/**
 * A round among made-up organisations, on virtual time, for tests, the checker and the bench: both machines, a wire that
 * delays, loses, doubles and alters, organisations that are away for a time, and a record of what everybody saw.
 */

import { toBase64Url, utf8 } from '../../base/bytes.ts'
import { canonicalJson } from '../../base/canonical.ts'
import { EntenteError } from '../../base/errors.ts'
import { sha256, sha256Hex } from '../../base/hash.ts'
import { federationId, organisationId, type OrganisationId, roundId } from '../../base/ids.ts'
import { type Prng, prng } from '../../base/prng.ts'
import { publicKeyOf, type SecretKey } from '../../base/signature.ts'
import { maskPartners } from './client-checks.ts'
import type { ClientEffect, ClientEvent, ClientState } from './client-state.ts'
import { maskingClient } from './client.ts'
import type { MaskingContext } from './context.ts'
import { type MessageType, parseMessage } from './messages.ts'
import { DEFAULT_POLICY, type MaskingPolicy } from './plan.ts'
import { rosterOf } from './roster.ts'
import type { ServerEffect, ServerEvent, ServerState } from './server-state.ts'
import { maskingServer } from './server.ts'
import { maskUpdate, quantiseFor, unmaskSum } from './vector.ts'
import { digestOf } from '../../base/hash.ts'

export interface WorldOptions {
  readonly seed: string
  readonly count: number
  readonly length?: number
  readonly clip?: number
  /** Updates are on a grid of so many steps up to the clip, and all weigh 1. */
  readonly levels?: number
  readonly policy?: Partial<MaskingPolicy>
  readonly round?: string
  readonly weights?: (i: number) => number
  /** Milliseconds that a message takes. */
  readonly delay?: (random: Prng) => number
  /** Until when somebody is away who is asked for at `at`; Infinity = for ever. */
  readonly awayUntil?: (organisation: OrganisationId, at: number) => number
  /** What becomes of a message: nothing, itself, several, or others. */
  readonly intercept?: (delivery: Delivery, world: World) => readonly Delivery[]
}

export interface HubDelivery {
  readonly to: 'hub'
  readonly from: OrganisationId | 'hub'
  readonly event: ServerEvent
}

export interface ClientDelivery {
  readonly to: OrganisationId
  readonly from: OrganisationId | 'hub'
  readonly event: ClientEvent
}

export type Delivery = HubDelivery | ClientDelivery

export function isForHub(delivery: Delivery): delivery is HubDelivery {
  return delivery.to === 'hub'
}

export interface Refused {
  readonly delivery: Delivery
  readonly error: EntenteError
}

export const PHASE_MS = 1000
export const WEIGHT_MAX = 10_000

export const nameOf = (i: number): OrganisationId => organisationId(`org-${String(i).padStart(4, '0')}`)
export const identityOf = (name: string): SecretKey => identities.get(name) ?? remember(name)
const identities = new Map<string, SecretKey>()

function remember(name: string): SecretKey {
  const secret = sha256(utf8(`identity of ${name}`))
  identities.set(name, secret)
  return secret
}

export function contextOf(options: WorldOptions): MaskingContext {
  return {
    federation: federationId('test.example'),
    round: roundId(options.round ?? 'training-1'),
    task: digestOf('task'),
    invited: Array.from({ length: options.count }, (_, i) => nameOf(i)).map((organisation) => ({
      organisation,
      publicKey: publicKeyOf(identityOf(organisation)),
    })),
    length: options.length ?? 20,
    clip: options.clip ?? 1,
    weightMax: options.levels === undefined ? WEIGHT_MAX : 1,
    ...(options.levels === undefined ? {} : { levels: options.levels }),
    policy: { ...DEFAULT_POLICY, ...options.policy },
  }
}

/** JSON there and back: what a state, an event or an effect goes through in the product. */
const stored = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T

export class World {
  readonly context: MaskingContext
  readonly random: Prng
  hub: ServerState
  readonly clients = new Map<OrganisationId, ClientState>()
  readonly updates = new Map<OrganisationId, Float32Array>()
  /** What each update was quantised to, before its masks. */
  readonly quantised = new Map<OrganisationId, Uint8Array>()
  /** Mask partners of everybody who masked, as names. */
  readonly partners = new Map<OrganisationId, readonly OrganisationId[]>()
  readonly vectors = new Map<string, Uint8Array>()
  /** All that left an organisation for the hub, arrived or not: the most that a hub can have seen. */
  readonly sent: { readonly from: OrganisationId; readonly message: MessageType; readonly body: unknown }[] = []
  readonly refused: Refused[] = []
  /** Accepted events by machine, for replays. */
  readonly hubLog: ServerEvent[] = []
  readonly clientLogs = new Map<OrganisationId, ClientEvent[]>()
  sum: Uint8Array | undefined
  now = 0
  readonly #options: WorldOptions
  readonly #queue: { readonly at: number; readonly order: number; readonly delivery: Delivery }[] = []
  #order = 0
  readonly #server = maskingServer()

  constructor(options: WorldOptions) {
    this.#options = options
    this.context = contextOf(options)
    this.random = prng(`masking/${options.seed}`)
    this.hub = this.#server.initial('')
    for (const [i, { organisation }] of this.context.invited.entries()) {
      this.clients.set(organisation, { phase: 'idle' })
      this.clientLogs.set(organisation, [])
      this.updates.set(organisation, this.#update(i))
    }
  }

  get names(): OrganisationId[] {
    return [...this.clients.keys()]
  }

  weightOf(organisation: OrganisationId): number {
    if (this.context.weightMax === 1) return 1
    return this.#options.weights?.(this.names.indexOf(organisation)) ?? 1 + (this.names.indexOf(organisation) % 7)
  }

  /** Opens the round and lets it run until nothing is left to happen. */
  run(): this {
    this.schedule(0, {
      to: 'hub',
      from: 'hub',
      event: { type: 'opened', context: this.context, phaseMs: PHASE_MS, deadline: PHASE_MS, at: 0 },
    })
    return this.settle()
  }

  /** Lets everything happen that is under way. */
  settle(): this {
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      this.now = Math.max(this.now, next.at)
      this.deliver(next.delivery)
    }
    return this
  }

  schedule(at: number, delivery: Delivery): void {
    this.#queue.push({ at, order: this.#order++, delivery })
  }

  /** Hands a message over now; a refusal is recorded. */
  deliver(delivery: Delivery): void {
    try {
      if (isForHub(delivery)) this.#stepHub(delivery.event)
      else this.#stepClient(delivery.to, delivery.event)
    } catch (error) {
      if (!(error instanceof EntenteError)) throw error
      this.refused.push({ delivery, error })
    }
  }

  #next() {
    let first = 0
    for (let i = 1; i < this.#queue.length; i++) {
      const [a, b] = [this.#queue[i], this.#queue[first]]
      if (a !== undefined && b !== undefined && (a.at < b.at || (a.at === b.at && a.order < b.order))) first = i
    }
    return this.#queue.splice(first, 1)[0]
  }

  #update(i: number): Float32Array {
    const random = prng(`update/${this.#options.seed}/${i}`)
    return Float32Array.from({ length: this.context.length }, () => random.normal() * 0.4)
  }

  #stepHub(event: ServerEvent): void {
    const { state, effects } = this.#server.step(this.hub, stored(event))
    this.hub = stored(state)
    this.hubLog.push(stored(event))
    for (const effect of effects) this.#hubEffect(stored(effect))
  }

  #hubEffect(effect: ServerEffect): void {
    const at = this.now
    switch (effect.type) {
      case 'open':
        for (const to of effect.to) this.#post({ to, from: 'hub', event: this.#opening(to, effect.context) })
        return
      case 'after':
        return this.schedule(effect.at, { to: 'hub', from: 'hub', event: effect.event as ServerEvent })
      case 'send':
        for (const to of effect.to) this.#post({ to, from: 'hub', event: toClient(effect, at) })
        return
      case 'unmask': {
        const vectors = effect.order.vectors.map(({ vector }) => this.vectors.get(vector) ?? new Uint8Array())
        this.sum = unmaskSum(effect.order, vectors)
        return this.schedule(at, { to: 'hub', from: 'hub', event: { type: 'summed', sum: sha256Hex(this.sum), at } })
      }
      case 'notify-abandoned':
        for (const to of effect.to)
          this.#post({ to, from: 'hub', event: { type: 'abandoned', reason: effect.reason, at } })
        return
      case 'report-sum':
      case 'dispatch':
        return
    }
  }

  #opening(to: OrganisationId, context: MaskingContext): ClientEvent {
    const seed = toBase64Url(sha256(utf8(`chance of ${to} in ${this.#options.seed} ${context.round}`)))
    return { type: 'opened', context, weight: this.weightOf(to), rounding: `rounding of ${to}`, seed, at: this.now }
  }

  #stepClient(name: OrganisationId, event: ClientEvent): void {
    const machine = maskingClient({ organisation: name, secret: identityOf(name) })
    const { state, effects } = machine.step(this.clients.get(name) ?? { phase: 'idle' }, stored(event))
    this.clients.set(name, stored(state))
    this.clientLogs.get(name)?.push(stored(event))
    for (const effect of effects) this.#clientEffect(name, stored(effect))
  }

  #clientEffect(from: OrganisationId, effect: ClientEffect): void {
    switch (effect.type) {
      case 'send':
        this.sent.push({ from, message: effect.message, body: effect.body })
        return this.#post({ to: 'hub', from, event: toHub(from, effect, this.now) })
      case 'reveal':
        this.sent.push({ from, message: 'masking-reveal', body: effect.body })
        return this.#post({
          to: 'hub',
          from,
          event: { type: 'reveal', from, reveal: parseMessage('masking-reveal', effect.body), at: this.now },
        })
      case 'mask': {
        const update = this.updates.get(from) ?? new Float32Array()
        this.quantised.set(from, quantiseFor(effect.order, update).words)
        this.partners.set(from, this.#partnersOf(from))
        const { words } = maskUpdate(effect.order, update)
        const vector = sha256Hex(words)
        this.vectors.set(vector, words)
        return this.#post({ to: from, from, event: { type: 'vector-masked', vector, at: this.now } })
      }
      case 'after':
      case 'dispatch':
        return
    }
  }

  #partnersOf(name: OrganisationId): OrganisationId[] {
    const state = this.clients.get(name)
    if (state?.phase !== 'masking') return []
    const roster = rosterOf(state.context, state.members)
    return maskPartners(roster, state.neighbours, state.inbox).map((i) => roster.members[i]?.organisation ?? name)
  }

  /** Through the wire: away senders and receivers make it wait, the interceptor may do what it likes. */
  #post(delivery: Delivery): void {
    for (const one of this.#options.intercept?.(delivery, this) ?? [delivery]) {
      const wire = this.now + (this.#options.delay?.(this.random) ?? 1)
      const party = one.to === 'hub' ? one.from : one.to
      const at = party === 'hub' ? wire : Math.max(wire, this.#options.awayUntil?.(party, wire) ?? 0)
      if (Number.isFinite(at)) this.schedule(at, one)
    }
  }
}

function toHub(from: OrganisationId, effect: Extract<ClientEffect, { type: 'send' }>, at: number): ServerEvent {
  const body: unknown = JSON.parse(canonicalJson(effect.body))
  switch (effect.message) {
    case 'masking-keys':
      return { type: 'keys', from, keys: parseMessage('masking-keys', body), at }
    case 'masking-shares':
      return { type: 'shares', from, shares: parseMessage('masking-shares', body), at }
    case 'masking-input':
      return { type: 'vector', from, input: parseMessage('masking-input', body), at }
    case 'masking-agreement':
      return { type: 'agreement', from, agreement: parseMessage('masking-agreement', body), at }
    default:
      throw new Error(`a participant does not send ${effect.message}`)
  }
}

function toClient(effect: Extract<ServerEffect, { type: 'send' }>, at: number): ClientEvent {
  const body: unknown = JSON.parse(canonicalJson(effect.body))
  switch (effect.message) {
    case 'masking-roster':
      return { type: 'roster', members: parseMessage('masking-roster', body), at }
    case 'masking-inbox':
      return { type: 'inbox', inbox: parseMessage('masking-inbox', body), at }
    case 'masking-survivors':
      return { type: 'survivors', survivors: parseMessage('masking-survivors', body), at }
    case 'masking-quorum':
      return { type: 'quorum', agreements: parseMessage('masking-quorum', body), at }
  }
}
