/** The techniques that campaigns use, and who carries them out. */

import type { Prng } from '../../base/prng.ts'
import type { Flow } from './flow.ts'
import { pick, type Site } from './world.ts'

export const TECHNIQUES = {
  scanning: 'T1046',
  beaconing: 'T1071.001',
  lateralMovement: 'T1021.002',
  exfiltration: 'T1048',
  bruteForce: 'T1110',
  flood: 'T1498',
} as const
export type Technique = (typeof TECHNIQUES)[keyof typeof TECHNIQUES]
export const ALL_TECHNIQUES: readonly Technique[] = Object.values(TECHNIQUES)

export interface CampaignOptions {
  readonly start: number
  /** No flow of the campaign begins after this. */
  readonly end: number
  readonly stealthy: boolean
}

/** Flows of one campaign, in no order. */
export type Campaign = (random: Prng, site: Site, options: CampaignOptions) => Flow[]

/** A host of the site that somebody has taken over. */
export const victim = (random: Prng, site: Site): string => pick(random, site.office)

/** Who attacks other hosts of the site: one of its own, unless it has no other. */
export const intruder = (random: Prng, site: Site): string =>
  site.office.length > 1 ? victim(random, site) : site.outside.stranger(random)
