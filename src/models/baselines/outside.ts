/** A scorer, and beside it whether the source is outside: for organisations that say which networks are their own. */

import { SOURCE_EXTERNAL } from './one-bit.ts'
import type { StreamScorer } from './stream-scorer.ts'

/** `weight` where the source is outside, plus log(1 + score): a surge from inside must be large to stand above it. */
export function createOutside(scorer: StreamScorer, weight: number): StreamScorer {
  return {
    score(tick, source, destination, flags) {
      const surge = Math.log1p(Math.max(0, scorer.score(tick, source, destination, flags)))
      return surge + ((flags & SOURCE_EXTERNAL) === 0 ? 0 : weight)
    },
  }
}
