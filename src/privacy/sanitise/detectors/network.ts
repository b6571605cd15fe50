/** Addresses of machines inside texts. Whether a candidate is an address is asked of the caller's parser. */

import { type Detector, type DetectorName, type Finding, matches } from './detector.ts'

/** A version number `1.2.3.4.5`, or digits with a letter in front, is no address. */
const IPV4 = /(?<![\w.-])\d{1,3}(?:\.\d{1,3}){3}(?![\w-]|\.\d)/g
const IPV6 = /(?<![\w:.])(?:[0-9A-Fa-f]{0,4}:){2,7}(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]{0,4})(?![\w:]|\.\d)/g
const MAC = /(?<![0-9A-Fa-f:.-])(?:[0-9A-Fa-f]{2}([:-]))(?:[0-9A-Fa-f]{2}\1){4}[0-9A-Fa-f]{2}(?![0-9A-Fa-f:-])/g
const BROADCAST = /^(?:00([:-])(?:00\1){4}00|ff([:-])(?:ff\2){4}ff)$/i

export function addressDetector(isAddress: (text: string) => boolean): Detector {
  return function* (text) {
    yield* found('ip-address', text, IPV4, isAddress)
    if (text.includes(':')) yield* found('ip-address', text, IPV6, (value) => value !== '::' && isAddress(value))
  }
}

function found(
  name: DetectorName,
  text: string,
  pattern: RegExp,
  check: (value: string) => boolean,
): Iterable<Finding> {
  return matches(name, text, pattern, check)
}

export const macs: Detector = function* (text) {
  yield* matches('mac-address', text, MAC, (value) => !BROADCAST.test(value))
}
