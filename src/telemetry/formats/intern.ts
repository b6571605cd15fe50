/** One copy of each short word of a log, with bounded memory. */

import { copyText } from '../address.ts'

const WORDS_MAX = 4096

/** Lengthier than any protocol, service or attack name met: longer ones are cut. */
export const WORD_LENGTH_MAX = 128

export function wordTable(transform: (text: string) => string): (text: string) => string {
  const known = new Map<string, string>()
  return (text) => {
    const hit = known.get(text)
    if (hit !== undefined) return hit
    const word = copyText(transform(text.slice(0, WORD_LENGTH_MAX)))
    if (known.size >= WORDS_MAX) known.clear()
    known.set(copyText(text.slice(0, WORD_LENGTH_MAX)), word)
    return word
  }
}
