/** The row under way: where its features go, and what the groups tell each other about it. */

import { featureNames } from './names.ts'
import { Decay } from './decay.ts'
import type { StreamState } from './state.ts'

export class Row {
  readonly state: StreamState
  readonly identity: boolean
  readonly width: number
  readonly pairDecay = new Decay()
  readonly hostDecay = new Decay()
  /** Seconds since the last contact of the pair, in its direction and in the other; -1 = never. */
  pairGap = -1
  reverseGap = -1
  /** Since this source used this port towards this destination; -1 = never, or no port. */
  pairPortGap = -1
  private out: Float32Array = new Float32Array(0)
  private at = 0

  constructor(state: StreamState, identity: boolean) {
    this.state = state
    this.identity = identity
    this.width = featureNames({ identity }).length
  }

  begin(out: Float32Array, offset: number): void {
    this.out = out
    this.at = offset
  }

  put(value: number): void {
    this.out[this.at++] = value
  }

  /** A field of a host: `at` is the start of its slot plus the field. */
  host(at: number): number {
    return this.state.hosts.values[at] as number
  }

  /** A field of this row's pair. */
  pair(field: number): number {
    return this.state.pairs.values[this.state.pair + field] as number
  }
}
