/**
 * Identity numbers of persons in twelve countries, each by its published check. Where one random number in eleven or so
 * passes the check, the number counts only behind a word that names it; elsewhere form and check suffice.
 */

import { type Detector, matches } from './detector.ts'
import { isDay, luhn, mod11Over10, mod11Two, modulo, weighted } from './checksums.ts'

interface NationalId {
  readonly country: string
  readonly pattern: RegExp
  check(digits: string): boolean
  /** Words that must stand shortly before it. */
  readonly words?: RegExp
}

const CHECK_LETTERS = 'TRWAGMYFPDXBNJZSQVHLCKE'
const HETU_LETTERS = '0123456789ABCDEFHJKLMNPRSTUVWXY'

/** Codice fiscale: values of the characters in odd places, DM 23 December 1976. */
const ODD = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23]
function codiceFiscale(code: string): boolean {
  let sum = 0
  for (let i = 0; i < 15; i++) {
    const character = code.charCodeAt(i)
    const value = character >= 65 ? character - 65 : character - 48
    sum += i % 2 === 0 ? (ODD[value] ?? 0) : value
  }
  return sum % 26 === code.charCodeAt(15) - 65
}

const digitsAt = (text: string, from: number, to: number): number => Number(text.slice(from, to))
const cpfDigit = (digits: string): number => ((weighted(digits, range(digits.length + 1)) * 10) % 11) % 10
/** from, from - 1, ... 2. */
const range = (from: number): number[] => Array.from({ length: from - 1 }, (_, i) => from - i)

export const NATIONAL_IDS: readonly NationalId[] = [
  {
    country: 'ES',
    pattern: /\b(?:\d{8}|[XYZ]\d{7})-?[A-HJ-NP-TV-Z]\b/g,
    check(id) {
      const number = id.slice(0, -1).replace(/^[XYZ]/, (letter) => String('XYZ'.indexOf(letter)))
      return CHECK_LETTERS[Number(number) % 23] === id.at(-1)
    },
  },
  {
    country: 'FR',
    pattern: /\b[12] ?\d\d ?(?:0[1-9]|1[0-2]) ?(?:\d\d|2[AB]) ?\d{3} ?\d{3} ?\d\d\b/g,
    check: (id) => 97 - modulo(id.slice(0, 13).replace('2A', '19').replace('2B', '18'), 97) === digitsAt(id, 13, 15),
  },
  { country: 'IT', pattern: /\b[A-Z]{6}\d\d[ABCDEHLMPRST]\d\d[A-Z]\d{3}[A-Z]\b/g, check: codiceFiscale },
  {
    country: 'FI',
    pattern: /\b\d{6}[-+A]\d{3}[0-9A-Y]\b/g,
    check: (id) =>
      isDay(digitsAt(id, 2, 4), digitsAt(id, 0, 2)) &&
      HETU_LETTERS[
        Number(
          id.slice(0, 6) +
            id
              .slice(6)
              .replace(/^[-+A]/, '')
              .slice(0, 3),
        ) % 31
      ] === id.at(-1),
  },
  {
    country: 'CN',
    pattern: /\b[1-8]\d{5}(?:19|20)\d\d(?:0[1-9]|1[0-2])\d{5}[\dX]\b/g,
    check: (id) => isDay(digitsAt(id, 10, 12), digitsAt(id, 12, 14)) && mod11Two(id),
  },
  {
    country: 'BR',
    pattern: /\b\d{3}\.\d{3}\.\d{3}-\d\d\b/g,
    check: (id) =>
      !/^(\d)\1*$/.test(id) &&
      cpfDigit(id.slice(0, 9)) === Number(id[9]) &&
      cpfDigit(id.slice(0, 10)) === Number(id[10]),
  },
  {
    country: 'SE',
    pattern: /\b(?:19|20)?\d{6}[-+]\d{4}\b/g,
    check: (id) => isDay(digitsAt(id.slice(-10), 2, 4), digitsAt(id.slice(-10), 4, 6)) && luhn(id.slice(-10)),
    words: /personnummer|pers\.?nr|\bpnr\b|national id/i,
  },
  {
    country: 'BE',
    pattern: /\b\d\d\.?\d\d\.?\d\d-?\d{3}[.-]?\d\d\b/g,
    check(id) {
      const check = digitsAt(id, 9, 11)
      const valid = [id.slice(0, 9), `2${id.slice(0, 9)}`].some((number) => 97 - modulo(number, 97) === check)
      return valid && isDay(digitsAt(id, 2, 4), digitsAt(id, 4, 6))
    },
    words: /rijksregister|registre national|\bnrn\b|\binsz\b|\bniss\b|national id/i,
  },
  {
    country: 'DE',
    pattern: /\b[1-9]\d ?\d{3} ?\d{3} ?\d{3}\b/g,
    check: mod11Over10,
    words: /steuer-?(?:id|identifikations?nummer)|\bidnr\b|tax id|national id/i,
  },
  {
    country: 'PL',
    pattern: /\b\d{11}\b/g,
    check: (id) => weighted(id, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]) % 10 === 0,
    words: /pesel|national id/i,
  },
  {
    country: 'NL',
    pattern: /\b\d{9}\b/g,
    check: (id) => weighted(id, [9, 8, 7, 6, 5, 4, 3, 2, -1]) % 11 === 0,
    words: /\bbsn\b|burgerservicenummer|national id/i,
  },
  {
    // The United States give no check digit: only numbers that are never issued can be told (SSA, 2011).
    country: 'US',
    pattern: /\b(?!000|666|9)\d{3}-(?!00)\d\d-(?!0000)\d{4}\b/g,
    check: () => true,
    words: /\bssn\b|social security/i,
  },
]

/** Characters before a number in which a word that names it counts. */
const CONTEXT = 32

export const nationalIds: Detector = function* (text) {
  if (!/\d{2}/.test(text)) return
  for (const { pattern, check, words } of NATIONAL_IDS) {
    if (words?.test(text) === false) continue
    yield* matches('national-id', text, pattern, (value, { index }) => {
      const named = words === undefined || words.test(text.slice(Math.max(0, index - CONTEXT), index))
      return named && check(compact(value))
    })
  }
}

/** Without separators, except the century sign of Finland, which is in the middle and part of the form. */
function compact(value: string): string {
  return /^\d{6}[-+A]\d{3}[0-9A-Y]$/.test(value) && !/^\d{6}[-+]\d{4}$/.test(value)
    ? value
    : value.replace(/[ .+-]/g, '')
}
