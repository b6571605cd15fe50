/** What the tests and the corpus of this room share: keys, and a plain spelling of addresses. */

import { deriveKeys } from './keys.ts'
import type { AddressSpelling } from './pseudonyms.ts'
import { createSanitiser, type Sanitiser } from './sanitiser.ts'

export const TEST_SECRET = new Uint8Array(32).fill(9)
export const TEST_KEYS = deriveKeys(TEST_SECRET, { federation: 'test.example', epoch: '2026-11' })

/** IPv4 and full or compressed IPv6, by the rules that matter here; products use telemetry's parser. */
export const PLAIN_SPELLING: AddressSpelling = {
  parse(text) {
    const octets = text.split('.').map(Number)
    if (/^(?:0|[1-9]\d{0,2})(?:\.(?:0|[1-9]\d{0,2})){3}$/.test(text))
      return octets.every((octet) => octet < 256) ? [octets.reduce((word, octet) => word * 256 + octet, 0)] : undefined
    if (!/^[0-9a-f:]{2,39}$/i.test(text) || text.split('::').length > 2) return undefined
    const [head = '', tail] = text.split('::')
    const [before, after] = [head, tail ?? ''].map((half) => (half === '' ? [] : half.split(':'))) as [
      string[],
      string[],
    ]
    const missing = 8 - before.length - after.length
    if (tail === undefined ? missing !== 0 : missing < 1) return undefined
    const groups = [...before, ...new Array<string>(missing).fill('0'), ...after]
    if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return undefined
    const numbers = groups.map((group) => Number.parseInt(group, 16))
    return [0, 2, 4, 6].map((at) => (numbers[at] ?? 0) * 65_536 + (numbers[at + 1] ?? 0))
  },
  text(bits) {
    const [word = 0] = bits
    if (bits.length === 1) return [24, 16, 8, 0].map((shift) => (word >>> shift) & 255).join('.')
    return bits.flatMap((w) => [(w >>> 16).toString(16), (w & 0xffff).toString(16)]).join(':')
  },
}

export function testSanitiser(): Sanitiser {
  return createSanitiser(TEST_KEYS, PLAIN_SPELLING)
}
