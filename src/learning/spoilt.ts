/** Who is named for false shares and partial decryptions, of all buckets of a round together. */

import type { RoundFacts, Spoilt } from './round-state.ts'

/** Members that are empty are left out; names come once, sorted. */
export function togetherSpoilt(parts: readonly Spoilt[]): Spoilt {
  const blamed = [...new Set(parts.flatMap((part) => part.blamed ?? []))].toSorted()
  const pairs = new Map(parts.flatMap((part) => part.disputed ?? []).map((pair) => [JSON.stringify(pair), pair]))
  return {
    ...(blamed.length === 0 ? {} : { blamed }),
    ...(pairs.size === 0 ? {} : { disputed: [...pairs.values()] }),
  }
}

/** Of buckets with a sum and without. Facts stored by earlier versions may name nobody. */
export function spoiltIn({ spoilt = {}, masked = [] }: RoundFacts): Spoilt {
  return togetherSpoilt([spoilt, ...masked.map(({ facts }): Spoilt => facts)])
}
