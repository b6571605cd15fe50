/** Which addresses belong to an organisation, and which to the same small network. */

import { fail } from '../base/errors.ts'
import { type AddressWords, addressText, addressWords, isIpv4 } from './address.ts'

/** RFC 1918, RFC 6598, loopback and link-local; RFC 4193 and link-local for IPv6. */
export const PRIVATE_NETWORKS: readonly string[] = [
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '::1/128',
  'fc00::/7',
  'fe80::/10',
]

interface Network {
  readonly words: AddressWords
  readonly bits: number
}

/** @throws config-invalid unless `text` is an address or address/prefix length. */
function parseNetwork(text: string): Network {
  const [address, length, ...rest] = text.split('/')
  const words = addressWords(address ?? '')
  if (words === undefined || rest.length > 0)
    fail('config-invalid', `"${text}" is not a network: write it like 10.1.0.0/16`)
  const offset = isIpv4(words) ? 96 : 0
  const bits = length === undefined ? 128 : offset + (/^\d{1,3}$/.test(length) ? Number(length) : Number.NaN)
  if (!(bits >= offset && bits <= 128)) fail('config-invalid', `"${text}" has an impossible prefix length`)
  return { words, bits }
}

function contains(network: Network, words: AddressWords): boolean {
  for (let i = 0, bits = network.bits; bits > 0; i++, bits -= 32) {
    const shift = bits >= 32 ? 0 : 32 - bits
    if (((words[i] as number) ^ (network.words[i] as number)) >>> shift !== 0) return false
  }
  return true
}

/** A test of membership in any of the networks. @throws config-invalid for a malformed one. */
export function networkMatcher(networks: readonly string[]): (words: AddressWords) => boolean {
  const parsed = networks.map(parseNetwork)
  return (words) => parsed.some((network) => contains(network, words))
}

/** As {@link networkMatcher}, of canonical texts; no networks given means the private ranges. */
export function localMatcher(localNetworks: readonly string[]): (address: string) => boolean {
  const matches = networkMatcher(localNetworks.length > 0 ? localNetworks : PRIVATE_NETWORKS)
  return (address) => {
    const words = addressWords(address)
    return words !== undefined && matches(words)
  }
}

/** The /24 of an IPv4 address, or the /64 of an IPv6 one: the segment that one would call a local network. */
export function segmentOf(address: string): string | undefined {
  const words = addressWords(address)
  if (words === undefined) return undefined
  if (isIpv4(words)) return `${addressText([words[0], words[1], words[2], (words[3] & 0xffffff00) >>> 0])}/24`
  return `${addressText([words[0], words[1], 0, 0])}/64`
}
