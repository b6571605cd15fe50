/** What one participant does in each phase, and how many bytes pass. */

import { toHex } from '../../src/base/bytes.ts'
import type { OrganisationId } from '../../src/base/ids.ts'
import { release } from '../../src/base/release.ts'
import type { MaskArithmetic } from '../../src/privacy/masking/arithmetic.ts'
import { identityOf } from '../../src/privacy/masking/fixtures.ts'
import { advertise, checkRoster, signFor } from '../../src/privacy/masking/roster.ts'
import { pairSeed, roundSecrets, selfMaskSeed } from '../../src/privacy/masking/secrets.ts'
import { openShares, sealShares, shareSecrets } from '../../src/privacy/masking/share-box.ts'
import { type MaskOrder, maskText, maskUpdate, vectorBytes } from '../../src/privacy/masking/vector.ts'
import { partnersOf, type PreparedRound, updateOf } from './round.ts'

export interface ParticipantPhases {
  /** Masks that it adds. */
  readonly masks: number
  readonly neighbours: number
  readonly boxes: number
  readonly works: Readonly<Record<'advertise' | 'roster' | 'share' | 'mask' | 'reveal', () => unknown>>
  /** Sent in each phase, but for the roster, which comes in. */
  readonly bytes: Readonly<Record<'advertise' | 'roster' | 'share' | 'mask' | 'reveal', number>>
  readonly order: () => MaskOrder
  readonly update: Float32Array
}

const bytesOf = (message: unknown): number => JSON.stringify(message).length

/** The last of the roster. */
export function participantPhases(round: PreparedRound, arithmetic: MaskArithmetic): ParticipantPhases {
  const { context, roster, secrets, neighbours, setting } = round
  const self = setting.organisations - 1
  const own = secrets[self] ?? roundSecrets('')
  const organisation = roster.members[self]?.organisation ?? ('' as OrganisationId)
  const drawn = neighbours[self] ?? []
  const partners = [...(partnersOf(neighbours)[self] ?? [])]
  const update = updateOf(self, setting.parameters)
  const owners = neighbours.flatMap((some, i) => (some.includes(self) ? [i] : []))
  const pair = { mask: own.maskBytes, self: own.self }
  const boxes = owners.map((from) => sealShares(roster, secrets[from]?.box ?? own.box, from, self, pair))
  const keys = { organisation, boxKey: own.boxKey, maskKey: own.maskKey, weight: 100 }

  /** The seeds of all masks are agreed anew each time. */
  function order(): MaskOrder {
    const pairs = partners.map((other) => ({
      seed: pairSeed(roster, own.mask, self, other),
      sign: signFor(self, other),
    }))
    const selfMask = { seed: selfMaskSeed(roster, own.self, organisation), sign: 1 } as const
    const masks = [...pairs, selfMask].map(maskText)
    return { length: update.length, weight: 100, scale: roster.scale, rounding: 'A'.repeat(22), masks }
  }

  const share = () => shareSecrets(roster, own, self, drawn)
  return {
    masks: partners.length + 1,
    neighbours: drawn.length,
    boxes: boxes.length,
    order,
    update,
    works: {
      advertise: () => advertise(context, keys, identityOf(organisation)),
      roster: () => checkRoster(context, roster.members),
      share,
      // A peer's vector is gone with the last reference to it, and not when some later measurement collects it.
      mask: () => release(maskUpdate(order(), update, arithmetic).words),
      reveal: () => owners.map((from, i) => toHex(openShares(roster, own.box, from, self, boxes[i] ?? '').self)),
    },
    bytes: {
      advertise: bytesOf(roster.members[self]),
      roster: bytesOf(roster.members),
      share: bytesOf(share()),
      mask: vectorBytes({ length: update.length, scale: roster.scale }),
      reveal: bytesOf(round.reveals.at(-1)),
    },
  }
}
