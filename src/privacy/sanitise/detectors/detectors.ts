/** All detectors over one text: what they find, without overlaps. */

import { cards, ibans } from './accounts.ts'
import type { Detector, DetectorName, Finding } from './detector.ts'
import { nationalIds } from './national-ids.ts'
import { addressDetector, macs } from './network.ts'
import { emails, phones, userNames } from './persons.ts'
import { passwords, privateKeys, tokens } from './secrets.ts'

/** In the order in which they count: a secret is removed whole, whatever it looks like inside. */
export const DETECTOR_NAMES = [
  'private-key',
  'password',
  'token',
  'card',
  'iban',
  'national-id',
  'email',
  'ip-address',
  'mac-address',
  'user-name',
  'phone',
] as const satisfies readonly DetectorName[]

const RANK = new Map<DetectorName, number>(DETECTOR_NAMES.map((name, rank) => [name, rank]))

export type FreeTextDetector = (text: string) => readonly Finding[]

/** Findings in the order of the text. @param isAddress - whether a text is exactly one IP address */
export function freeTextDetector(isAddress: (text: string) => boolean): FreeTextDetector {
  const all: readonly Detector[] = [
    privateKeys,
    passwords,
    tokens,
    cards,
    ibans,
    nationalIds,
    emails,
    addressDetector(isAddress),
    macs,
    userNames,
    phones,
  ]
  return (text) => {
    const found = all.flatMap((detector) => [...detector(text)])
    return found.length < 2 ? found : withoutOverlaps(found)
  }
}

/**
 * Of what overlaps, the finding of the earlier name keeps its whole extent and the other what is left of it: nothing that
 * any detector found stays. Painted, so that a line of a hundred thousand addresses takes no longer than its length.
 */
function withoutOverlaps(found: readonly Finding[]): Finding[] {
  const rank = ({ detector }: Finding): number => RANK.get(detector) ?? DETECTOR_NAMES.length
  const first = found.reduce((least, { begin }) => Math.min(least, begin), Number.MAX_SAFE_INTEGER)
  const owners = new Int32Array(found.reduce((most, { end }) => Math.max(most, end), 0) - first)
  const ordered = found.toSorted((a, b) => rank(b) - rank(a) || b.begin - a.begin || a.end - b.end)
  for (const [i, { begin, end }] of ordered.entries()) owners.fill(i + 1, begin - first, end - first)
  const kept: Finding[] = []
  for (let at = 0; at < owners.length; ) {
    const owner = owners[at] ?? 0
    let end = at + 1
    while (end < owners.length && owners[end] === owner) end++
    const detector = ordered[owner - 1]?.detector
    if (detector !== undefined) kept.push({ detector, begin: first + at, end: first + end })
    at = end
  }
  return kept
}
