/** Check digits. Each takes digits (or the documented form) without separators. */

/** ISO/IEC 7812-1 annex B. */
export function luhn(digits: string): boolean {
  let sum = 0
  for (let i = 0; i < digits.length; i++) {
    const digit = digits.charCodeAt(digits.length - 1 - i) - 48
    const doubled = i % 2 === 1 ? 2 * digit : digit
    sum += doubled > 9 ? doubled - 9 : doubled
  }
  return sum % 10 === 0
}

/** Remainder of a decimal number of any length. */
export function modulo(digits: string, modulus: number): number {
  let remainder = 0
  for (const digit of digits) remainder = (remainder * 10 + Number(digit)) % modulus
  return remainder
}

/** Sum of digit times weight. */
export function weighted(digits: string, weights: readonly number[]): number {
  return weights.reduce((sum, weight, i) => sum + weight * Number(digits[i]), 0)
}

/** ISO 7064, MOD 97-10 over letters as A = 10 ... Z = 35, the first four characters moved to the end: ISO 13616 IBAN. */
export function iban(text: string): boolean {
  const moved = text.slice(4) + text.slice(0, 4)
  return (
    modulo(
      moved.replace(/[A-Z]/g, (letter) => String(letter.charCodeAt(0) - 55)),
      97,
    ) === 1
  )
}

/** ISO 7064, MOD 11,10. */
export function mod11Over10(digits: string): boolean {
  let product = 10
  for (const digit of digits.slice(0, -1)) {
    const sum = (Number(digit) + product) % 10 || 10
    product = (2 * sum) % 11
  }
  return (11 - product) % 10 === Number(digits.at(-1))
}

/** ISO 7064, MOD 11-2, last character 0 to 9 or X. */
export function mod11Two(text: string): boolean {
  let sum = 0
  for (const digit of text.slice(0, -1)) sum = ((sum + Number(digit)) * 2) % 11
  return '0123456789X'[(12 - sum) % 11] === text.at(-1)
}

const MONTHS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/** Whether month and day exist, `monthOffset` already taken off. */
export function isDay(month: number, day: number): boolean {
  return month >= 1 && month <= 12 && day >= 1 && day <= (MONTHS[month - 1] ?? 0)
}
