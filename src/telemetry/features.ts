/**
 * Features of an interaction from the past only: one pass, no look-ahead, bounded memory, no randomness. Every feature of
 * a row is written before anything of the row is learnt. Groups and names: features/names.ts.
 */

import { ageCounts } from './features/ageing.ts'
import { putRecency, putRhythm, putShares, putVolume } from './features/contacts.ts'
import { putBytes, putDirection, putIdentity, putOutcome, putService } from './features/content.ts'
import { putAnswers, putBursts, putFamiliarity, putStreamShares } from './features/familiarity.ts'
import { learn } from './features/learn.ts'
import { Row } from './features/row.ts'
import { StreamState } from './features/state.ts'
import { putSurprise } from './features/surprise.ts'
import type { Interaction } from './interaction.ts'
import { localMatcher } from './networks.ts'

export { FEATURE_COUNT, FEATURE_GROUPS, FEATURE_NAMES, type FeatureGroup, featureNames } from './features/names.ts'

export interface FeatureStream {
  /** Number of features of a row. */
  readonly width: number
  /** Writes the features of this interaction, from the past only, to out[offset ... offset + width), then learns it. */
  push(interaction: Interaction, out: Float32Array, offset: number): void
}

export interface FeatureOptions {
  /** Networks of the organisation, as CIDR; none means the private ranges. */
  readonly localNetworks: readonly string[]
  /** Adds the identity group. Off by default: it tells hosts apart, and what is learnt of one site's hosts misleads the others. */
  readonly identity?: boolean
}

/** @throws config-invalid for a malformed network. */
export function createFeatureStream(options: FeatureOptions): FeatureStream {
  const state = new StreamState(localMatcher(options.localNetworks))
  const row = new Row(state, options.identity ?? false)

  function push(interaction: Interaction, out: Float32Array, offset: number): void {
    const time = interaction.time
    row.begin(out, offset)
    state.locate(interaction.source, interaction.destination, time)
    putRecency(row, time)
    ageCounts(row, time)
    putVolume(row, time)
    putSurprise(row, time)
    putFamiliarity(row)
    putStreamShares(row)
    putAnswers(row)
    putBursts(row, time)
    putShares(row)
    putRhythm(row)
    putService(row, interaction, time)
    putOutcome(row, interaction)
    putBytes(row, interaction)
    putDirection(row)
    if (row.identity) putIdentity(row, time)
    learn(row, interaction)
  }

  return { width: row.width, push }
}
