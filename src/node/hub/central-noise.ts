/**
 * The noise of whole organisations where the hub adds it: to the sum, before anything of the sum is stored. Its seed is drawn
 * once and stored, so that a hub that dies and sums again adds the same.
 */

import { fail } from '../../base/errors.ts'
import type { RoundId } from '../../base/ids.ts'
import { isCentral, noiseOf, noiseRecord } from '../../learning/organisation-privacy.ts'
import type { OpenedRound } from '../../learning/round-state.ts'
import { drawMax } from '../../privacy/dp/local.ts'
import { sumNoise } from '../../privacy/dp/sum-noise.ts'
import type { Added } from '../../privacy/masking/server-state.ts'
import type { Width } from '../../privacy/masking/arithmetic.ts'
import type { Drive } from '../drive.ts'
import { noiseSeed, streamOfSeed } from '../noise-seed.ts'
import { noiseTable } from '../private-randomness.ts'
import type { HubContext } from './identity.ts'

export interface CentralNoise {
  /** Once, over the whole sum. */
  readonly alter: (words: Uint8Array) => void
  /** For the block. */
  readonly added: Added
}

/** Undefined where the hub adds no noise. @throws round-closed if the seed was used and forgotten */
export async function centralNoise(
  context: HubContext,
  drive: Drive,
  round: RoundId,
  width: Width,
): Promise<CentralNoise | undefined> {
  const { config } = (await drive.read(`round/${round}`)) as OpenedRound
  const plan = noiseOf(config)
  if (plan === null || config.privacy === null || !isCentral(config.privacy)) return undefined
  const table = noiseTable(plan.deviation)
  if (table.magnitudeMax > drawMax(plan.deviation)) fail('internal', 'the grid has no room for all noise of this table')
  const { parameters } = noiseRecord(plan, config.privacy.delta)
  if (parameters === undefined) fail('internal', 'the record of the noise says nothing')
  const seed = await noiseSeed(context, round)
  return { alter: sumNoise(table, streamOfSeed(seed), width), added: parameters }
}
