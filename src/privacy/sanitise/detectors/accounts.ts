/** Numbers of money: payment cards and IBAN accounts. */

import { iban, luhn } from './checksums.ts'
import { type Detector, matches } from './detector.ts'

/** Networks by leading digits and length (ISO/IEC 7812): of numbers that pass Luhn by chance, most begin otherwise. */
const NETWORKS: readonly RegExp[] = [
  /^4\d{12}(?:\d{3}){0,2}$/, // Visa
  /^5[1-5]\d{14}$/, // Mastercard
  /^2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}$/, // Mastercard since 2017
  /^3[47]\d{13}$/, // American Express
  /^3(?:0[0-5]|[68]\d)\d{11}$/, // Diners Club
  /^6(?:011|4[4-9]\d|5\d\d)\d{12}$/, // Discover
  /^35(?:2[89]|[3-8]\d)\d{12}$/, // JCB
  /^62\d{14}$/, // UnionPay
]

/** As cards print it, 4-4-4-4 or 4-6-5, or in one piece. A digit, a dot or a sign beside it makes it another number. */
const CARD =
  /(?<![\d.,:/+\w-])(?:\d{13,19}|\d{4}([ -])\d{4}\1\d{4}\1\d{1,7}|\d{4}([ -])\d{6}\2\d{4,5})(?![\d.,:/\w-]*\d)(?!\w)/g

export const cards: Detector = function* (text) {
  if (!/\d{4}/.test(text)) return
  yield* matches('card', text, CARD, (value) => {
    const digits = value.replace(/[ -]/g, '')
    return NETWORKS.some((network) => network.test(digits)) && luhn(digits) && !/^(\d)\1*$/.test(digits)
  })
}

/** Lengths of the IBAN registry (SWIFT, release 99) for the countries that use it most. */
const LENGTHS: Readonly<Record<string, number>> = {
  AD: 24,
  AE: 23,
  AL: 28,
  AT: 20,
  AZ: 28,
  BA: 20,
  BE: 16,
  BG: 22,
  BH: 22,
  BR: 29,
  BY: 28,
  CH: 21,
  CR: 22,
  CY: 28,
  CZ: 24,
  DE: 22,
  DK: 18,
  DO: 28,
  EE: 20,
  EG: 29,
  ES: 24,
  FI: 18,
  FO: 18,
  FR: 27,
  GB: 22,
  GE: 22,
  GI: 23,
  GL: 18,
  GR: 27,
  GT: 28,
  HR: 21,
  HU: 28,
  IE: 22,
  IL: 23,
  IQ: 23,
  IS: 26,
  IT: 27,
  JO: 30,
  KW: 30,
  KZ: 20,
  LB: 28,
  LC: 32,
  LI: 21,
  LT: 20,
  LU: 20,
  LV: 21,
  LY: 25,
  MC: 27,
  MD: 24,
  ME: 22,
  MK: 19,
  MR: 27,
  MT: 31,
  MU: 30,
  NL: 18,
  NO: 15,
  PK: 24,
  PL: 28,
  PS: 29,
  PT: 25,
  QA: 29,
  RO: 24,
  RS: 22,
  SA: 24,
  SC: 31,
  SE: 24,
  SI: 19,
  SK: 24,
  SM: 27,
  ST: 25,
  SV: 28,
  TL: 23,
  TN: 24,
  TR: 26,
  UA: 29,
  VA: 22,
  VG: 24,
  XK: 20,
}

export const ibans: Detector = function* (text) {
  if (!/[A-Z]{2}\d\d/.test(text)) return
  for (const match of text.matchAll(/\b([A-Z]{2})\d\d(?:[A-Z0-9]{11,30}\b|(?: [A-Z0-9]{1,4}){3,8}\b)/g)) {
    const length = LENGTHS[match[1] ?? ''] ?? 0
    const value = firstCharacters(match[0], length)
    if (value !== undefined && !/^..(?:0[01]|99)/.test(value) && iban(value.replaceAll(' ', '')))
      yield { detector: 'iban', begin: match.index, end: match.index + value.length }
  }
}

/** So many characters other than blanks, ending where a group ends; the words behind a number are none of it. */
function firstCharacters(text: string, count: number): string | undefined {
  let seen = 0
  for (let i = 0; i < text.length; i++) {
    if (text[i] !== ' ') seen++
    if (seen === count && count > 0)
      return i + 1 === text.length || text[i + 1] === ' ' ? text.slice(0, i + 1) : undefined
  }
  return undefined
}
