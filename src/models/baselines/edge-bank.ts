/**
 * EdgeBank (Poursafaei, Huang, Pelrine, Rabbany: "Towards Better Evaluation for Dynamic Link Prediction", NeurIPS 2022,
 * section 5): remembers the edges that it saw, all of them or those of a window before now, and expects exactly these.
 */

import { pairKey } from './pair-key.ts'
import type { StreamScorer } from './stream-scorer.ts'

export interface EdgeBank {
  /** True if the edge was seen at `tick - window` or later. */
  expects(tick: number, source: number, destination: number): boolean
  remember(tick: number, source: number, destination: number): void
}

/** `window` in ticks; Infinity is the unlimited bank. Memory grows with the number of different pairs. */
export function createEdgeBank(window: number): EdgeBank {
  const lastSeen = new Map<number, number>()
  return {
    expects(tick, source, destination) {
      const last = lastSeen.get(pairKey(source, destination))
      return last !== undefined && tick - last <= window
    },
    remember: (tick, source, destination) => void lastSeen.set(pairKey(source, destination), tick),
  }
}

/** An interaction that the bank does not expect is suspicious. */
export function createEdgeBankScorer(window: number): StreamScorer {
  const bank = createEdgeBank(window)
  return {
    score(tick, source, destination) {
      const surprise = bank.expects(tick, source, destination) ? 0 : 1
      bank.remember(tick, source, destination)
      return surprise
    },
  }
}
