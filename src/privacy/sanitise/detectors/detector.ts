/** What a detector is: it finds the places of one kind of personal datum or secret in a text that anybody may have written. */

export type DetectorName =
  | 'email'
  | 'user-name'
  | 'password'
  | 'token'
  | 'private-key'
  | 'card'
  | 'iban'
  | 'national-id'
  | 'phone'
  | 'ip-address'
  | 'mac-address'

export interface Finding {
  readonly detector: DetectorName
  /** Offsets into the text, end exclusive. */
  readonly begin: number
  readonly end: number
}

/** Patterns are linear in the text: no nested or overlapping repetition, so that no line can stall the reader. */
export type Detector = (text: string) => Iterable<Finding>

/** All matches of a global pattern whose group `value` (or whole match) passes the check. */
export function* matches(
  detector: DetectorName,
  text: string,
  pattern: RegExp,
  check: (value: string, match: RegExpExecArray) => boolean = () => true,
): Generator<Finding> {
  for (const match of text.matchAll(pattern)) {
    const value = match.groups?.['value'] ?? match[0]
    if (!check(value, match)) continue
    const begin = match.index + (value === match[0] ? 0 : match[0].lastIndexOf(value))
    yield { detector, begin, end: begin + value.length }
  }
}
