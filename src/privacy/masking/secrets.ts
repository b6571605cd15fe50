/**
 * The secrets of one participant in one round, all out of one seed of 32 random bytes that came with the event that
 * opened the round: the machine replays, and forgetting the seed forgets them all.
 */

import { fromBase64Url } from '../../base/bytes.ts'
import { fail } from '../../base/errors.ts'
import type { OrganisationId } from '../../base/ids.ts'
import type { RandomBytes } from './field.ts'
import {
  agree,
  type AgreementKey,
  agreementKeyOf,
  type AgreementSecret,
  agreementSecret,
  consumeSecret,
  deriveKey,
  randomSecret,
  SEED_BYTES,
} from './keys.ts'
import { randomBelow, seededBytes } from './keystream.ts'
import { type Roster, saltOf } from './roster.ts'

export interface RoundSecrets {
  /** c_u of the paper: encrypts shares. */
  readonly box: AgreementSecret
  readonly boxKey: AgreementKey
  /** s_u of the paper: agrees on pairwise masks; shared among the neighbours. */
  readonly mask: AgreementSecret
  readonly maskBytes: Uint8Array
  readonly maskKey: AgreementKey
  /** b_u of the paper: the self-mask; shared among the neighbours. */
  readonly self: Uint8Array
  readonly random: (label: 'neighbours' | 'mask-polynomial' | 'self-polynomial') => RandomBytes
}

const ROUND_SEED_BYTES = 32

/** @param seed base64url of 32 bytes @throws invalid-request */
export function roundSecrets(seed: string): RoundSecrets {
  const bytes = fromBase64Url(seed)
  if (bytes?.length !== ROUND_SEED_BYTES) fail('invalid-request', `a seed is ${ROUND_SEED_BYTES} bytes, base64url`)
  const box = agreementSecret(randomSecret(seededBytes(bytes, 'box-key')))
  const maskBytes = randomSecret(seededBytes(bytes, 'mask-key'))
  const mask = agreementSecret(maskBytes)
  return {
    box,
    boxKey: agreementKeyOf(box),
    mask,
    maskBytes,
    maskKey: agreementKeyOf(mask),
    self: randomSecret(seededBytes(bytes, 'self-seed')),
    random: (label) => seededBytes(bytes, label),
  }
}

/** Seed of the mask of a pair: the same from both ends, whoever is asked. */
export function pairSeed(roster: Roster, own: AgreementSecret, self: number, other: number): Uint8Array {
  const peer = roster.members[other]?.maskKey ?? ''
  const pair = [Math.min(self, other), Math.max(self, other)].map((i) => roster.members[i]?.organisation ?? '')
  return consumeSecret(agree(own, peer), saltOf(roster), 'pair-mask', [roster.round, ...pair], SEED_BYTES)
}

/** Seed of the self-mask, from b_u. */
export function selfMaskSeed(roster: Roster, secret: Uint8Array, owner: OrganisationId): Uint8Array {
  return deriveKey(secret, saltOf(roster), 'self-mask', [roster.round, owner], SEED_BYTES)
}

/** `count` of the members other than `self`, ascending: without replacement, by the participant's own chance. */
export function drawNeighbours(self: number, members: number, count: number, random: RandomBytes): number[] {
  const others = Array.from({ length: members }, (_, i) => i).filter((i) => i !== self)
  if (count >= others.length) return others
  for (let i = 0; i < count; i++) {
    const j = i + randomBelow(others.length - i, random)
    ;[others[i], others[j]] = [others[j] ?? 0, others[i] ?? 0]
  }
  return others.slice(0, count).sort((a, b) => a - b)
}
