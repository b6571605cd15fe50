/**
 * IP addresses in one canonical text, so that one host has one name. IPv6 is written as RFC 5952 section 4 asks;
 * IPv4-mapped IPv6 (RFC 4291 section 2.5.5.2) is the IPv4 host that it names. Anything ambiguous is refused: an octet
 * with a leading zero is octal to some readers and decimal to others, and a log's author may choose which.
 */

/** 128 bits, most significant word first; IPv4 as ::ffff:a.b.c.d. */
export type AddressWords = readonly [number, number, number, number]

const MAPPED = 0x0000ffff

/** Octets of a dotted quad as an unsigned word; undefined unless canonical (or three-digit octets, if `padded`). */
function ipv4Word(text: string, padded: boolean): number | undefined {
  let word = 0
  let octet = 0
  let digits = 0
  let octets = 0
  for (let i = 0; i <= text.length; i++) {
    const code = i < text.length ? text.charCodeAt(i) : 46
    if (code === 46) {
      if (digits === 0 || octet > 255 || octets === 4) return undefined
      word = word * 256 + octet
      octets++
      octet = 0
      digits = 0
    } else {
      if (code < 48 || code > 57 || digits === 3 || (digits > 0 && octet === 0 && !padded)) return undefined
      octet = octet * 10 + code - 48
      digits++
    }
  }
  return octets === 4 ? word : undefined
}

function ipv6Groups(half: string): number[] | undefined {
  if (half === '') return []
  const groups: number[] = []
  const pieces = half.split(':')
  for (const [at, piece] of pieces.entries()) {
    if (at === pieces.length - 1 && piece.includes('.')) {
      const word = ipv4Word(piece, false)
      if (word === undefined) return undefined
      groups.push(Math.floor(word / 65536), word % 65536)
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(piece)) return undefined
      groups.push(Number.parseInt(piece, 16))
    }
  }
  return groups
}

function ipv6Words(text: string): AddressWords | undefined {
  if (text.length > 45) return undefined
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const [before, after] = halves
  // An embedded dotted quad may only end the whole address, not the part before '::'.
  if (halves.length === 2 && (before as string).includes('.')) return undefined
  const head = ipv6Groups(before as string)
  const tail = after === undefined ? [] : ipv6Groups(after)
  if (head === undefined || tail === undefined) return undefined
  const missing = 8 - head.length - tail.length
  if (after === undefined ? missing !== 0 : missing < 1) return undefined
  const groups = [...head, ...new Array<number>(missing).fill(0), ...tail]
  const word = (at: number): number => (groups[at] as number) * 65536 + (groups[at + 1] as number)
  return [word(0), word(2), word(4), word(6)]
}

/** The 128 bits of an address; undefined for anything else, ambiguous spellings and zone indices included. */
export function addressWords(text: string): AddressWords | undefined {
  const word = ipv4Word(text, false)
  if (word !== undefined) return [0, 0, MAPPED, word]
  return text.includes(':') ? ipv6Words(text) : undefined
}

export function isIpv4(words: AddressWords): boolean {
  return words[0] === 0 && words[1] === 0 && words[2] === MAPPED
}

function ipv4Text(word: number): string {
  return `${word >>> 24}.${(word >>> 16) & 255}.${(word >>> 8) & 255}.${word & 255}`
}

/** RFC 5952 section 4.2: the longest run of two or more zero groups, the first of equals, becomes '::'. */
function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: -1, length: 1 }
  for (let start = 0; start < 8; start++) {
    let length = 0
    while (start + length < 8 && groups[start + length] === 0) length++
    if (length > best.length) best = { start, length }
  }
  return best
}

/** Canonical text of an address. */
export function addressText(words: AddressWords): string {
  if (isIpv4(words)) return ipv4Text(words[3])
  const groups = words.flatMap((word) => [word >>> 16, word & 0xffff])
  const hex = (part: readonly number[]): string => part.map((group) => group.toString(16)).join(':')
  const run = longestZeroRun(groups)
  if (run.start < 0) return hex(groups)
  return `${hex(groups.slice(0, run.start))}::${hex(groups.slice(run.start + run.length))}`
}

/** The one text of an address, or undefined if the text is not exactly one address. */
export function canonicalAddress(text: string): string | undefined {
  const words = addressWords(text)
  return words === undefined ? undefined : addressText(words)
}

/** As {@link canonicalAddress}, for DARPA's fixed-width octets: `172.016.112.020` is 172.16.112.20 there. */
export function canonicalPaddedAddress(text: string): string | undefined {
  const word = ipv4Word(text, true)
  return word === undefined ? undefined : ipv4Text(word)
}

/** Copies a text: a slice of a log chunk, kept as a key, would keep its whole megabyte alive. */
export function copyText(text: string): string {
  return String.fromCharCode(...Array.from({ length: text.length }, (_, i) => text.charCodeAt(i)))
}

const CACHE_MAX = 1 << 17

/** Remembers the answers for spellings already met; forgets all when an adversary fills it, so memory is bounded. */
export function cachedAddresses(canonical: (text: string) => string | undefined): (text: string) => string | undefined {
  const known = new Map<string, string>()
  return (text) => {
    const hit = known.get(text)
    if (hit !== undefined) return hit
    if (text.length > 45) return undefined
    const address = canonical(text)
    if (address === undefined) return undefined
    if (known.size >= CACHE_MAX) known.clear()
    known.set(address === text ? address : copyText(text), address)
    return address
  }
}
