/**
 * Shares on their way: two of them, 64 bytes, encrypted from one participant to another through the hub, which can
 * neither read nor change nor redirect them; and the digests by which the hub tells a false share later.
 *
 * Plaintext: share of the mask key s_u, share of the self-mask seed b_u, 32 bytes each. AES-256-GCM under a key that is
 * used once (HKDF of the agreed secret with roster, sender and receiver), so the nonce is zero.
 */

import { createCipheriv, createDecipheriv } from 'node:crypto'
import { concatBytes, fromBase64Url, toBase64Url, toHex, utf8 } from '../../base/bytes.ts'
import { EntenteError, fail } from '../../base/errors.ts'
import { sha256Hex } from '../../base/hash.ts'
import type { Digest } from '../../base/ids.ts'
import { decodeElement, ELEMENT_BYTES, encodeElement, SHARE_FIELD } from './field.ts'
import { agree, type AgreementSecret, consumeSecret } from './keys.ts'
import type { Shares } from './messages.ts'
import { type Roster, saltOf } from './roster.ts'
import type { RoundSecrets } from './secrets.ts'
import { splitSecret } from './shamir.ts'

const TAG_BYTES = 16
const NONCE = new Uint8Array(12)

export interface SharePair {
  readonly mask: Uint8Array
  readonly self: Uint8Array
}

function boxKey(roster: Roster, secret: AgreementSecret, peer: number, from: number, to: number): Uint8Array {
  const name = (i: number): string => roster.members[i]?.organisation ?? ''
  const agreed = agree(secret, roster.members[peer]?.boxKey ?? '')
  return consumeSecret(agreed, saltOf(roster), 'share-box', [roster.round, name(from), name(to)], 32)
}

/** base64url of 80 bytes. */
export function sealShares(roster: Roster, secret: AgreementSecret, from: number, to: number, pair: SharePair): string {
  const cipher = createCipheriv('aes-256-gcm', boxKey(roster, secret, to, from, to), NONCE)
  const sealed = concatBytes(cipher.update(concatBytes(pair.mask, pair.self)), cipher.final(), cipher.getAuthTag())
  return toBase64Url(sealed)
}

/** @throws invalid-request when the box is not what `from` sealed for `to` in this round, or holds no shares */
export function openShares(roster: Roster, secret: AgreementSecret, from: number, to: number, box: string): SharePair {
  const bytes = fromBase64Url(box)
  if (bytes?.length !== 2 * ELEMENT_BYTES + TAG_BYTES) fail('invalid-request', 'a box of shares has 80 bytes')
  const decipher = createDecipheriv('aes-256-gcm', boxKey(roster, secret, from, from, to), NONCE)
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES))
  let plain: Uint8Array
  try {
    plain = concatBytes(decipher.update(bytes.subarray(0, -TAG_BYTES)), decipher.final())
  } catch (cause) {
    throw new EntenteError('invalid-request', 'a box of shares does not open', { cause })
  }
  const pair = { mask: plain.slice(0, ELEMENT_BYTES), self: plain.slice(ELEMENT_BYTES) }
  plain.fill(0)
  decodeElement(pair.mask)
  decodeElement(pair.self)
  return pair
}

export type ShareKind = keyof SharePair

/** Digest of a share, published by its dealer. A share has 255 bits that nobody can guess, so its digest hides it. */
export function shareDigest(roster: Digest, kind: ShareKind, owner: number, position: number, share: string): Digest {
  return sha256Hex(utf8(['entente/v1/masking/share', roster, kind, String(owner), String(position), share].join('\0')))
}

export function selfSeedDigest(roster: Digest, owner: number, secret: Uint8Array): Digest {
  return sha256Hex(utf8(['entente/v1/masking/self-seed', roster, String(owner), toHex(secret)].join('\0')))
}

/** Both secrets of a participant, shared. Position 1 is its own, position i + 2 that of its i-th neighbour. */
export function dealShares(
  roster: Roster,
  secrets: RoundSecrets,
  self: number,
  neighbours: readonly number[],
): SharePair[] {
  const sharing = { threshold: roster.plan.threshold, count: neighbours.length + 1 }
  const split = (secret: Uint8Array, label: 'mask-polynomial' | 'self-polynomial'): Uint8Array[] =>
    splitSecret(decodeElement(secret), sharing, SHARE_FIELD, secrets.random(label)).map(encodeElement)
  const mask = split(secrets.maskBytes, 'mask-polynomial')
  const own = split(secrets.self, 'self-polynomial')
  return mask.map((share, i) => ({ mask: share, self: own[i] ?? share }))
}

/** Figure 4, Round 1 of Bonawitz et al. 2017: what a participant sends after it has seen the roster. */
export function shareSecrets(
  roster: Roster,
  secrets: RoundSecrets,
  self: number,
  neighbours: readonly number[],
): Shares {
  const pairs = dealShares(roster, secrets, self, neighbours)
  const digests = pairs.flatMap(({ mask, self: own }, i) => [
    shareDigest(roster.digest, 'mask', self, i + 1, toHex(mask)),
    shareDigest(roster.digest, 'self', self, i + 1, toHex(own)),
  ])
  return {
    organisation: roster.members[self]?.organisation ?? fail('internal', 'the sharer is not in the roster'),
    neighbours: [...neighbours],
    boxes: neighbours.map((to, i) =>
      sealShares(roster, secrets.box, self, to, pairs[i + 1] ?? fail('internal', 'a share is missing')),
    ),
    commitments: digests.join(''),
    selfSeed: selfSeedDigest(roster.digest, self, secrets.self),
  }
}
