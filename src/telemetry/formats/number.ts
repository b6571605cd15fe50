/** Strict numbers and times of log fields; NaN where the text is not one. */

import { TIME_MAX } from '../interaction.ts'

/** A non-negative decimal number, exponent allowed (Zeek writes 4.2e+09); NaN otherwise. */
export function nonNegative(text: string): number {
  const first = text.charCodeAt(0)
  if (!((first >= 48 && first <= 57) || first === 46)) return Number.NaN
  const value = Number(text)
  // '0x10' is a number to JavaScript, not to a log.
  return Number.isFinite(value) && text.charCodeAt(1) !== 120 && text.charCodeAt(1) !== 88 ? value : Number.NaN
}

export function isTime(value: number): boolean {
  return value >= 0 && value <= TIME_MAX
}

export function isPort(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= 65535
}

const ISO = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?(Z|[+-]\d\d:?\d\d)?$/

/** Seconds since the epoch of an ISO 8601 stamp, to the microsecond; no offset means UTC. NaN if it is not one. */
export function isoSeconds(text: string): number {
  const match = text.length <= 40 ? ISO.exec(text) : null
  if (match === null) return Number.NaN
  const [, year, month, day, hour, minute, second, fraction, offset] = match
  const [m, d] = [Number(month), Number(day)]
  if (
    m < 1 ||
    m > 12 ||
    d < 1 ||
    d > daysOf(Number(year), m) ||
    Number(hour) > 23 ||
    Number(minute) > 59 ||
    Number(second) > 60
  )
    return Number.NaN
  const whole = Date.UTC(Number(year), m - 1, d, Number(hour), Number(minute), Number(second)) / 1000
  return whole - offsetSeconds(offset) + (fraction === undefined ? 0 : Number(`0.${fraction}`))
}

/** Days of a month: 30 February is a mistake, and would be read as 2 March. */
function daysOf(year: number, month: number): number {
  if (month !== 2) return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
}

/** Seconds since the epoch of `2011/08/10 09:46:59.607825`, an ISO 8601 stamp, or a number of seconds; NaN otherwise. */
export function stampSeconds(text: string): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text)
  return isoSeconds(text.replaceAll('/', '-').replace(' ', 'T'))
}

function offsetSeconds(offset: string | undefined): number {
  if (offset === undefined || offset === 'Z') return 0
  const seconds = Number(offset.slice(1, 3)) * 3600 + Number(offset.slice(-2)) * 60
  return offset.startsWith('-') ? -seconds : seconds
}
