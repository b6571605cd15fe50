/** Addresses as the logs' readers spell them: one host has one name, and so one pseudonym. */

import type { AddressSpelling } from '../../privacy/sanitise/pseudonyms.ts'
import { type AddressWords, addressText, addressWords, isIpv4 } from '../../telemetry/address.ts'

const MAPPED = 0x0000ffff

/** IPv4-mapped IPv6 is the IPv4 host that it names. */
export const ADDRESSES: AddressSpelling = {
  parse(text) {
    const words = addressWords(text)
    if (words === undefined) return undefined
    return isIpv4(words) ? [words[3]] : words
  },
  text: (bits) => addressText(bits.length === 1 ? [0, 0, MAPPED, bits[0] ?? 0] : (bits as AddressWords)),
}
