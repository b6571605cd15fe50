/** Data of persons who do not exist, valid in form and check. The check digits are computed here a second time, by the
 * definition instead of the formula: the first tail that passes a check of its own. */

import { characters, ALPHANUMERIC, base64url, digits, hex, letters, pick, type Random } from './marked.ts'

const FIRST =
  'alice bob carla dmitri eva fatima george hana igor jule kofi lena mehmet nora oskar priya quentin rosa sven tanja umar vera wen xenia yara zoe'.split(
    ' ',
  )
const LAST =
  'abbott brandt castro dubois eriksson ferrari gupta haddad ivanov jansen kowalski larsen moreau nakamura okafor peeters quintero rossi schmidt tanaka ueda vogel wagner xu yilmaz zeman'.split(
    ' ',
  )

export const userName = (random: Random): string => {
  const [first, last] = [pick(random, FIRST), pick(random, LAST)]
  return pick(random, [
    `${first}.${last}`,
    `${first.charAt(0)}${last}`,
    `${first}_${last}`,
    `${first}${digits(random, 2)}`,
    `${last}`,
  ])
}

const DOMAINS =
  'example.org example.com mail.example.net corp.example uni.example.edu bank-a.example kunden.example.de'.split(' ')
export const mail = (random: Random): string =>
  pick(random, [userName(random), `${userName(random)}+${letters(random, 4)}`, userName(random).toUpperCase()]) +
  `@${pick(random, DOMAINS)}`

export const ipv4 = (random: Random): string =>
  [1 + random.below(223), random.below(256), random.below(256), random.below(256)].join('.')
export const ipv6 = (random: Random): string =>
  pick(random, [
    `2001:db8:${hex(random, 4)}:${hex(random, 4)}:${hex(random, 4)}:${hex(random, 4)}:${hex(random, 4)}:${hex(random, 4)}`,
    `fe80::${1 + random.below(9)}${hex(random, 3)}:${hex(random, 4)}`,
    `2001:db8::${1 + random.below(9)}${hex(random, 2)}`,
  ])
export const macAddress = (random: Random): string => {
  const sign = pick(random, [':', '-'])
  return Array.from({ length: 6 }, (_, i) => (i === 0 ? '0a' : hex(random, 2))).join(sign)
}

const luhnSum = (text: string): number =>
  [...text].reverse().reduce((sum, digit, i) => {
    const value = Number(digit) * (1 + (i % 2))
    return sum + Math.floor(value / 10) + (value % 10)
  }, 0)

/** The head with the first last digit that makes the text valid. */
function completed(
  head: string,
  valid: (text: string) => boolean,
  tails: readonly string[] = [...'0123456789'],
): string | undefined {
  const tail = tails.find((one) => valid(head + one))
  return tail === undefined ? undefined : head + tail
}

/** Draws until a head can be completed: some have no check digit in the published rule. */
function drawn(make: () => string | undefined): string {
  for (;;) {
    const made = make()
    if (made !== undefined) return made
  }
}

export const card = (random: Random): string => {
  const [prefix, length] = pick(random, [
    ['4', 16],
    ['51', 16],
    ['55', 16],
    ['2221', 16],
    ['34', 15],
    ['37', 15],
    ['6011', 16],
    ['3528', 16],
    ['62', 16],
    ['36', 14],
  ] as const)
  const whole = drawn(() =>
    completed(prefix + digits(random, length - prefix.length - 1), (text) => luhnSum(text) % 10 === 0),
  )
  const sign = pick(random, ['', '', ' ', '-'])
  return length === 16 ? (whole.match(/.{4}/g) ?? []).join(sign) : whole
}

const TWO_DIGITS = Array.from({ length: 100 }, (_, i) => String(i).padStart(2, '0'))
const bigMod = (text: string, modulus: bigint): number => Number(BigInt(text) % modulus)
const lettersToNumbers = (text: string): string => text.replace(/[A-Z]/g, (letter) => String(letter.charCodeAt(0) - 55))

export const ibanNumber = (random: Random): string => {
  const [country, body] = pick(random, [
    ['DE', digits(random, 18)],
    ['FR', digits(random, 23)],
    ['NL', `INGB${digits(random, 10)}`],
    ['GB', `NWBK${digits(random, 14)}`],
    ['ES', digits(random, 20)],
    ['CH', digits(random, 17)],
    ['NO', digits(random, 11)],
  ] as const)
  const check = TWO_DIGITS.slice(2).find((two) => bigMod(lettersToNumbers(body + country + two), 97n) === 1) ?? '00'
  const whole = country + check + body
  return pick(random, [whole, (whole.match(/.{1,4}/g) ?? []).join(' ')])
}

const two = (n: number): string => String(n).padStart(2, '0')
const yymmdd = (random: Random): string => digits(random, 2) + two(1 + random.below(12)) + two(1 + random.below(28))

/** Number and, where it needs one, the word that names it. */
export function nationalId(random: Random): { readonly word: string; readonly value: string } {
  const makers: readonly (() => { word: string; value: string })[] = [
    () => {
      const number = digits(random, 8)
      return { word: '', value: number + 'TRWAGMYFPDXBNJZSQVHLCKE'.charAt(Number(number) % 23) }
    },
    () => {
      const head = `${1 + random.below(2)}${digits(random, 2)}${two(1 + random.below(12))}${digits(random, 8)}`
      return {
        word: '',
        value: drawn(() =>
          completed(
            head,
            (text) => (Number(text.slice(0, 13)) + Number(text.slice(13))) % 97 === 0 && text.slice(13) !== '00',
            TWO_DIGITS,
          ),
        ),
      }
    },
    () => {
      const head = `${1 + random.below(8)}${digits(random, 5)}19${digits(random, 2)}${two(1 + random.below(12))}${two(1 + random.below(28))}${digits(random, 3)}`
      const sum = (text: string): number =>
        [...text].reduce((total, one, i) => total + (one === 'X' ? 10 : Number(one)) * (2 ** (17 - i) % 11), 0)
      return { word: '', value: drawn(() => completed(head, (text) => sum(text) % 11 === 1, [...'0123456789X'])) }
    },
    () => {
      const head = `${two(1 + random.below(28))}${two(1 + random.below(12))}${digits(random, 2)}`
      const serial = digits(random, 3)
      return {
        word: '',
        value: `${head}${pick(random, ['-', 'A'])}${serial}${'0123456789ABCDEFHJKLMNPRSTUVWXY'.charAt(Number(head + serial) % 31)}`,
      }
    },
    () => ({
      word: pick(random, ['PESEL: ', 'pesel=']),
      value: drawn(() =>
        completed(
          yymmdd(random) + digits(random, 4),
          (text) =>
            [1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1].reduce((sum, weight, i) => sum + weight * Number(text[i]), 0) % 10 === 0,
        ),
      ),
    }),
    () => ({
      word: pick(random, ['BSN ', 'burgerservicenummer: ']),
      value: drawn(() =>
        completed(
          `${1 + random.below(9)}${digits(random, 7)}`,
          (text) =>
            ([9, 8, 7, 6, 5, 4, 3, 2].reduce((sum, weight, i) => sum + weight * Number(text[i]), 0) +
              11 -
              Number(text[8])) %
              11 ===
            0,
        ),
      ),
    }),
    () => ({
      word: 'personnummer ',
      value: drawn(() =>
        completed(`${yymmdd(random)}-${digits(random, 3)}`, (text) => luhnSum(text.replace('-', '')) % 10 === 0),
      ),
    }),
    () => ({
      word: pick(random, ['SSN: ', 'social security number ']),
      value: `${two(10 + random.below(80))}${1 + random.below(9)}-${two(1 + random.below(98))}-${1000 + random.below(9000)}`,
    }),
    () => {
      const head = yymmdd(random) + digits(random, 3)
      return { word: 'rijksregister ', value: head + two(97 - bigMod(head, 97n)) }
    },
  ]
  return pick(random, makers)()
}

export const phone = (random: Random): string => {
  const country = pick(random, ['1', '31', '33', '44', '46', '49', '90', '358', '420'])
  return pick(random, [
    `+${country}${digits(random, 9)}`,
    `+${country} ${digits(random, 3)} ${digits(random, 3)} ${digits(random, 4)}`,
    `+${country}-${digits(random, 3)}-${digits(random, 6).slice(0, 4)}-${digits(random, 2)}`,
  ])
}

const json64 = (random: Random, length: number): string => `eyJ${base64url(random, length)}`
export const token = (random: Random): string =>
  pick(random, [
    () => `AKIA${characters(random, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567', 16)}`,
    () => `ghp_${characters(random, ALPHANUMERIC, 36)}`,
    () => `xoxb-${digits(random, 12)}-${characters(random, ALPHANUMERIC, 24)}`,
    () => `AIza${base64url(random, 35)}`,
    () => `sk_live_${characters(random, ALPHANUMERIC, 24)}`,
    () => `glpat-${characters(random, ALPHANUMERIC, 20)}`,
    () => `npm_${characters(random, ALPHANUMERIC, 36)}`,
    () => `${json64(random, 33)}.${json64(random, 80)}.${base64url(random, 43)}`,
  ])()

/** A person's password: no blank, no quote. */
export const password = (random: Random): string =>
  pick(random, [
    () => `${letters(random, 6)}${digits(random, 2)}!`,
    () => `P@ss${characters(random, ALPHANUMERIC, 6)}`,
    () => characters(random, `${ALPHANUMERIC}!#$%*+`, 12),
    () => `${pick(random, ['Summer', 'Winter', 'Welkom', 'Azerty'])}20${digits(random, 2)}`,
  ])()
