/** Stand-ins for values: equal values get equal ones under the same keys, and nobody reads the value from them. */

import { createHmac } from 'node:crypto'
import { cryptoPan } from './cryptopan.ts'
import { ff1 } from './ff1.ts'
import type { SanitiseKeys } from './keys.ts'

/** How addresses are spelled is the caller's: this room sees bits. One word of IPv4, or four of IPv6. */
export interface AddressSpelling {
  /** Undefined unless the text is exactly one address. */
  parse(text: string): readonly number[] | undefined
  text(bits: readonly number[]): string
}

export type Category = 'user' | 'host' | 'mail' | 'mac' | 'id' | 'sid'

export interface Pseudonyms {
  /** Prefix-preserving; undefined if the text is no address. */
  address(text: string): string | undefined
  /** `<category>-` and 16 characters: 80 bits of an HMAC. Case is ignored, as it is in the names themselves. */
  of(category: Category, value: string): string
  /**
   * Label by label, so that `mail.example.org` stays a name below `example.org`. A last label that the whole world shares is
   * kept; any other may be somebody's (`corp\\john.doe`).
   */
  name(value: string): string
  /** Another number of as many digits; undefined below six digits, where a table of all would tell. */
  number(digits: string): string | undefined
  /** Another identifier of as many letters and digits, keeping its first character, as Zeek's ids have one. */
  identifier(value: string): string | undefined
}

const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567'
const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const CHARACTERS = 16
/** Generic top-level domains that are common, and the private ones; countries have two letters. */
const SHARED_LABELS = new Set(
  'com org net edu gov mil int arpa info biz name app dev cloud online site shop xyz top club tech io local lan internal intranet corp home localdomain test example invalid localhost'.split(
    ' ',
  ),
)
const isShared = (label: string): boolean => SHARED_LABELS.has(label) || /^[a-z]{2}$/.test(label)
/** Names and addresses repeat from line to line. Forgotten all at once, so that an adversary cannot fill the memory. */
const CACHE_MAX = 1 << 15

export function pseudonymsOf(keys: SanitiseKeys, addresses: AddressSpelling): Pseudonyms {
  const pan = cryptoPan(keys.address)
  const decimal = ff1(keys.format, 10)
  const alphanumeric = ff1(keys.format, 62)

  /** The category and its length come first, so that no user can be named to get the pseudonym of a host. */
  function mac(category: string, value: string): string {
    const bytes = createHmac('sha256', keys.pseudonym).update(`${category.length}:${category}:`).update(value).digest()
    let text = ''
    for (let i = 0; i < CHARACTERS; i++) text += BASE32.charAt((bytes[i] ?? 0) & 31)
    return text
  }

  function address(text: string): string | undefined {
    const bits = addresses.parse(text)
    return bits === undefined ? undefined : addresses.text(pan.pseudonym(bits))
  }

  function name(value: string): string {
    const labels = value.toLowerCase().replace(/\.$/, '').split('.')
    if (labels.length === 1) return `host-${mac('host', labels[0] ?? '')}`
    return labels
      .map((label, i) =>
        i === labels.length - 1 && isShared(label) ? label : `h-${mac('name', labels.slice(i).join('.'))}`,
      )
      .join('.')
  }

  /** Cycle walking (Black and Rogaway 2002): a permutation of all strings, walked until it lands among the wanted ones. */
  function number(digits: string): string | undefined {
    if (!/^[1-9]\d{5,17}$/.test(digits) || Number(digits) > Number.MAX_SAFE_INTEGER) return undefined
    let numerals: readonly number[] = [...digits].map(Number)
    do numerals = decimal.encrypt(numerals)
    while (numerals[0] === 0 || Number(numerals.join('')) > Number.MAX_SAFE_INTEGER)
    return numerals.join('')
  }

  function identifier(value: string): string | undefined {
    if (!/^[0-9A-Za-z]{5,64}$/.test(value)) return undefined
    const numerals = [...value.slice(1)].map((character) => BASE62.indexOf(character))
    return (
      value.charAt(0) +
      alphanumeric
        .encrypt(numerals)
        .map((numeral) => BASE62.charAt(numeral))
        .join('')
    )
  }

  return {
    address: remembered(address),
    of: (category, value) => `${category}-${mac(category, value.toLowerCase())}`,
    name: remembered(name),
    number,
    identifier,
  }
}

function remembered<T>(make: (text: string) => T): (text: string) => T {
  const known = new Map<string, T>()
  return (text) => {
    const hit = known.get(text)
    if (hit !== undefined) return hit
    const made = make(text)
    if (known.size >= CACHE_MAX) known.clear()
    if (made !== undefined) known.set(text, made)
    return made
  }
}
