/**
 * Labelled campaigns over the real background of a capture that has no labels, or of one class only. The background is
 * taken for benign, which nobody has checked; the attacks are the generator's, between the capture's own hosts. Figures
 * from such data say how synthetic campaigns stand out from this background, and nothing about attacks in the capture:
 * whoever shows them shows {@link OVERLAY_LABELS} beside them.
 */

import { prng } from '../base/prng.ts'
import { campaignFlows } from './generator/campaigns.ts'
import type { Flow } from './generator/flow.ts'
import { scheduleOverlay } from './generator/schedule.ts'
import { outsideOf, type Servers, type Site } from './generator/world.ts'
import { interactionOf } from './generator/zeek-log.ts'
import type { Interaction } from './interaction.ts'

/** Where the labels come from. */
export const OVERLAY_LABELS = 'synthetic-campaigns'

/** A site of the capture, as a survey of its log found it. */
export interface CaptureSite {
  readonly index: number
  readonly name: string
  readonly localNetworks: readonly string[]
  /** Addresses by activity, the most active first: of the site's own networks, and all others. */
  readonly local: readonly string[]
  readonly external: readonly string[]
  readonly interactions: number
}

export interface OverlayOptions {
  readonly seed: string
  /** Seconds since the epoch: first and last interaction of the whole capture, and the cut between training and test. */
  readonly from: number
  readonly trainUntil: number
  readonly until: number
}

const HOSTS_MAX = 256
/** Attacks beside one background interaction, at most: a flood over a quiet site would make the site all attack. */
const ATTACKS_PER_INTERACTION_MAX = 0.25
/** However quiet the site: fewer than this are no campaign. */
const CAMPAIGN_FLOWS_MIN = 8

/** The site in the generator's terms: the most active local hosts stand for the servers, all for the victims. */
function siteOf(capture: CaptureSite): Site {
  const hosts = capture.local.slice(0, HOSTS_MAX)
  const server = (rank: number): string => hosts[rank % hosts.length] as string
  const names: (keyof Servers)[] = [
    'web',
    'files',
    'directory',
    'mail',
    'dns',
    'database',
    'backup',
    'monitor',
    'scanner',
    'printer',
    'broker',
  ]
  return {
    index: capture.index,
    name: capture.name,
    localNetworks: capture.localNetworks,
    office: hosts,
    iot: [],
    servers: Object.fromEntries(names.map((name, rank) => [name, server(rank)])) as unknown as Servers,
    admins: hosts.slice(0, 1),
    mix: { browsing: 1, files: 0, mail: 0, inbound: 0, administration: 0, database: 0, noise: 0 },
    outside: outsideOf(capture.external.length > 0 ? capture.external : ['192.0.2.1'], capture.index),
  }
}

/** Campaigns of a site, by time; none if the capture shows no host of it. */
export function overlayCampaigns(capture: CaptureSite, options: OverlayOptions): readonly Interaction[] {
  if (capture.local.length === 0) return []
  const site = siteOf(capture)
  const campaigns = scheduleOverlay(options.seed, capture.index, options, capture.interactions)
  const share = Math.floor((capture.interactions * ATTACKS_PER_INTERACTION_MAX) / campaigns.length)
  const flows: Flow[] = campaigns.flatMap(({ technique, start, end, stealthy }, i) =>
    campaignFlows(prng(`overlay/${options.seed}/${capture.index}/${i}`), site, technique, { start, end, stealthy })
      .sort((a, b) => a.time - b.time)
      .slice(0, Math.max(CAMPAIGN_FLOWS_MIN, share)),
  )
  return flows
    .filter((flow) => flow.source !== flow.destination)
    .sort((a, b) => a.time - b.time)
    .map(interactionOf)
}
