/** Ids that follow from what they are derived from: whoever repeats an effect makes the same one. */

import { utf8 } from '../base/bytes.ts'
import { sha256Hex } from '../base/hash.ts'

export function derivedId(...parts: readonly string[]): string {
  return sha256Hex(utf8(parts.join('\n'))).slice(0, 40)
}
