/**
 * Attack campaigns, by ATT&CK technique (Enterprise v18). Each comes loud or stealthy; the stealthy form spreads over
 * hours and stays within what single counters of the background reach. Parameters are drawn anew for every campaign, so
 * that no two share an address, a port list or a pace.
 */

import type { Prng } from '../../base/prng.ts'
import { bruteForce, lateralMovement } from './access.ts'
import { HOUR } from './background.ts'
import { beaconing, exfiltration } from './control.ts'
import { scanning } from './discovery.ts'
import type { Flow } from './flow.ts'
import { flood } from './impact.ts'
import { type Campaign, type CampaignOptions, type Technique, TECHNIQUES } from './techniques.ts'
import type { Site } from './world.ts'

const CAMPAIGNS: Readonly<Record<Technique, Campaign>> = {
  [TECHNIQUES.scanning]: scanning,
  [TECHNIQUES.beaconing]: beaconing,
  [TECHNIQUES.lateralMovement]: lateralMovement,
  [TECHNIQUES.exfiltration]: exfiltration,
  [TECHNIQUES.bruteForce]: bruteForce,
  [TECHNIQUES.flood]: flood,
}

/** Hours that a campaign may last. */
export const CAMPAIGN_HOURS_MAX = 12

export function campaignFlows(random: Prng, site: Site, technique: Technique, options: CampaignOptions): Flow[] {
  const end = Math.min(options.end, options.start + CAMPAIGN_HOURS_MAX * HOUR)
  return CAMPAIGNS[technique](random, site, { ...options, end }).filter((flow) => flow.time < end)
}
