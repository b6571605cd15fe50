/**
 * "The source is outside": one bit, no learning. In the public data it finds most attacks (DARPA 1998: AUC 0.86), so a
 * figure that does not stand beside this one says nothing.
 */

import type { StreamScorer } from './stream-scorer.ts'

/** Bit 1 of the flags of a data set record. */
export const SOURCE_EXTERNAL = 2

export function createOneBit(): StreamScorer {
  return { score: (_tick, _source, _destination, flags) => ((flags & SOURCE_EXTERNAL) === 0 ? 0 : 1) }
}
