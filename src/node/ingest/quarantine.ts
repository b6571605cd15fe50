/** Lines that did not parse, kept for a person to look at: the first hundred, then every k-th, k doubling. */

import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

const FIRST = 100
/** At most about this many more for each doubling of k. */
const PER_STRIDE = 50
const TEXT_MAX = 2000

export interface Quarantine {
  add(file: string, line: number, reason: string, text: string): void
  /** Writes the samples; nothing if every line parsed. Returns how many were kept. */
  write(path: string): number
}

export function createQuarantine(): Quarantine {
  const samples: string[] = []
  let seen = 0
  let stride = 1
  let kept = 0

  function wanted(): boolean {
    if (seen++ < FIRST) return true
    if (seen % stride !== 0) return false
    if (++kept % PER_STRIDE === 0) stride *= 2
    return true
  }

  return {
    add(file, line, reason, text) {
      if (wanted()) samples.push(JSON.stringify({ file, line, reason, text: text.slice(0, TEXT_MAX) }))
    },
    write(path) {
      if (samples.length === 0) return 0
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, `${samples.join('\n')}\n`, { mode: 0o600 })
      return samples.length
    },
  }
}
