/** A hub that says to each participant what the attacker wants: for tests. Participants are the real machines. */

import { toBase64Url, utf8 } from '../../base/bytes.ts'
import { sha256, sha256Hex } from '../../base/hash.ts'
import type { OrganisationId } from '../../base/ids.ts'
import { maskedStatement, survivorsDigest, survivorsStatement, sharersDigest } from './client-checks.ts'
import type { ClientEvent } from './client-state.ts'
import { signStatement } from './context.ts'
import { identityOf, isForHub, World, type WorldOptions } from './fixtures.ts'
import type { AdvertisedKeys, Agreement, Inbox, MaskedInput, MessageBody, MessageType, Shares } from './messages.ts'
import { type Roster, rosterOf } from './roster.ts'

export class LyingHub {
  readonly world: World

  constructor(options: WorldOptions) {
    // Nothing reaches the honest hub's machine: the attacker is the hub.
    this.world = new World({ ...options, intercept: (delivery) => (isForHub(delivery) ? [] : [delivery]) })
  }

  get names(): OrganisationId[] {
    return this.world.names
  }

  /** Tells somebody something. */
  tell(to: OrganisationId, event: ClientEvent): void {
    this.world.deliver({ to, from: 'hub', event })
    this.world.settle()
  }

  sent<Type extends MessageType>(message: Type): MessageBody<Type>[] {
    return this.world.sent.filter((one) => one.message === message).map(({ body }) => body as MessageBody<Type>)
  }

  /** Codes of the refusals so far. */
  get refusals(): string[] {
    return this.world.refused.map(({ error }) => error.code)
  }

  open(): AdvertisedKeys[] {
    const { context } = this.world
    for (const [i, name] of this.names.entries())
      this.tell(name, {
        type: 'opened',
        context,
        weight: this.world.weightOf(name),
        rounding: '',
        seed: seedOf(i),
        at: 0,
      })
    return this.sent('masking-keys')
  }

  roster(members: readonly AdvertisedKeys[], to: readonly OrganisationId[] = this.names): Shares[] {
    for (const name of to) this.tell(name, { type: 'roster', members: [...members], at: 0 })
    return this.sent('masking-shares')
  }

  /** What an honest hub would deliver to `to`, for this list of sharers. */
  inboxFor(to: OrganisationId, sharers: readonly OrganisationId[] = this.names): Inbox {
    const place = this.names.indexOf(to)
    const boxes = this.sent('masking-shares').flatMap(({ organisation, neighbours, boxes }) => {
      const box = boxes[neighbours.indexOf(place)]
      return sharers.includes(organisation) && box !== undefined ? [{ from: organisation, box }] : []
    })
    return { sharers: [...sharers], boxes }
  }

  inbox(to: readonly OrganisationId[] = this.names, sharers: readonly OrganisationId[] = this.names): MaskedInput[] {
    for (const name of to) this.tell(name, { type: 'inbox', inbox: this.inboxFor(name, sharers), at: 0 })
    return this.sent('masking-input')
  }

  survivors(survivors: readonly MaskedInput[], to: readonly OrganisationId[] = this.names): Agreement[] {
    for (const name of to) this.tell(name, { type: 'survivors', survivors: [...survivors], at: 0 })
    return this.sent('masking-agreement')
  }

  quorum(agreements: readonly Agreement[], to: readonly OrganisationId[] = this.names): void {
    for (const name of to) this.tell(name, { type: 'quorum', agreements: [...agreements], at: 0 })
  }

  #roster(): Roster {
    return rosterOf(this.world.context, this.sent('masking-keys'))
  }

  /** A corrupt participant signs whatever it is asked to. */
  corruptAgreement(
    organisation: OrganisationId,
    survivors: readonly MaskedInput[],
    sharers: readonly OrganisationId[] = this.names,
  ): Agreement {
    const statement = survivorsStatement(this.#roster(), sharersDigest(sharers), survivorsDigest(survivors))
    return { organisation, signature: signStatement(statement, identityOf(organisation)) }
  }

  /** A corrupt participant claims to have masked for any list of sharers. */
  corruptVector(organisation: OrganisationId, sharers: readonly OrganisationId[]): MaskedInput {
    const input = { organisation, vector: sha256Hex(utf8(organisation)) }
    const statement = maskedStatement(this.#roster(), sharersDigest(sharers), input)
    return { ...input, signature: signStatement(statement, identityOf(organisation)) }
  }

  /** An honest course up to the masked vectors. */
  upToVectors(): MaskedInput[] {
    this.roster(this.open())
    return this.inbox()
  }
}

export const seedOf = (i: number): string => toBase64Url(sha256(utf8(`chance ${i}`)))
