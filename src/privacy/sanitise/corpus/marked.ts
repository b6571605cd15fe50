/** Lines whose personal data and secrets are marked where they are written, so that no second opinion is needed. */

import type { Prng } from '../../../base/prng.ts'
import type { DetectorName } from '../detectors/detector.ts'

export interface Labelled {
  readonly text: string
  readonly labels: readonly { readonly detector: DetectorName; readonly begin: number; readonly end: number }[]
}

/** A piece of a line: plain text, or a datum that a detector should find. */
export type Piece = string | readonly [DetectorName, string]

export function line(...pieces: readonly Piece[]): Labelled {
  let text = ''
  const labels: Labelled['labels'][number][] = []
  for (const piece of pieces) {
    const value = typeof piece === 'string' ? piece : piece[1]
    if (typeof piece !== 'string')
      labels.push({ detector: piece[0], begin: text.length, end: text.length + value.length })
    text += value
  }
  return { text, labels }
}

export type Random = Prng

export const pick = <T>(random: Random, items: readonly T[]): T => items[random.below(items.length)] as T

const DIGITS = '0123456789'
const LETTERS = 'abcdefghijklmnopqrstuvwxyz'
export const ALPHANUMERIC = `${DIGITS}${LETTERS}${LETTERS.toUpperCase()}`

export function characters(random: Random, alphabet: string, length: number): string {
  let text = ''
  for (let i = 0; i < length; i++) text += alphabet.charAt(random.below(alphabet.length))
  return text
}

export const digits = (random: Random, length: number): string => characters(random, DIGITS, length)
export const letters = (random: Random, length: number): string => characters(random, LETTERS, length)
export const hex = (random: Random, length: number): string => characters(random, '0123456789abcdef', length)
export const base64url = (random: Random, length: number): string => characters(random, `${ALPHANUMERIC}-_`, length)
