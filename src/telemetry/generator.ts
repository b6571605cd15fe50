/**
 * Traffic of several organisations with labelled attacks, by a seed: one Zeek conn.log a site. What it models and what it
 * does not: generator/README.md.
 */

import { fail } from '../base/errors.ts'
import { type Prng, prng } from '../base/prng.ts'
import { DAY, HOUR, loadOfHour, sessionSize, sessionsOfHour } from './generator/background.ts'
import { campaignFlows } from './generator/campaigns.ts'
import type { Flow } from './generator/flow.ts'
import { createPolls, routinesOfDay } from './generator/routines.ts'
import { exposureOf, scheduleCampaigns, type SiteExposure, TRAINING_SHARE } from './generator/schedule.ts'
import { createSite, type Site } from './generator/world.ts'
import { interactionOf, ZEEK_HEADER, zeekLineWriter } from './generator/zeek-log.ts'
import { localMatcher } from './networks.ts'

export { ALL_TECHNIQUES, TECHNIQUES, type Technique } from './generator/techniques.ts'
export type { SiteExposure } from './generator/schedule.ts'

/** Monday, 2026-01-05T00:00:00Z. */
export const TRAFFIC_START = 1_767_571_200
const SITES_MAX = 200

export interface TrafficOptions {
  readonly seed: string
  readonly sites: number
  /** Length of the period; 10 by default, so that it holds a weekend. */
  readonly days?: number
  /** About how many interactions each site has; 80,000 by default. */
  readonly interactionsPerSite?: number
}

export interface SiteTraffic {
  /** Fit for an organisation id. */
  readonly name: string
  readonly localNetworks: readonly string[]
  readonly exposure: SiteExposure
  /** Seconds since the epoch: what comes before is for training. */
  readonly trainUntil: number
  /** The header, then the connections by time; a day of them in memory. Each iteration gives the same lines. */
  lines(): Iterable<string>
}

/** Flows of whole days, days in order, flows by time. A flow that runs into the next day is given with that day. */
function* daysOf(site: Site, options: Required<TrafficOptions>): Generator<Flow[]> {
  const random = prng(`traffic/${options.seed}/flows/${site.index}`)
  const polls = createPolls(random, site)
  const end = TRAFFIC_START + options.days * DAY
  const campaigns = scheduleCampaigns(options.seed, site.index, TRAFFIC_START, end)
  const attacks = campaigns.flatMap((campaign, i) =>
    campaignFlows(prng(`traffic/${options.seed}/campaign/${site.index}/${i}`), site, campaign.technique, {
      ...campaign,
      end,
    }),
  )
  const routineCount = routinesOfDay(
    prng(`traffic/${options.seed}/measure/${site.index}`),
    site,
    polls,
    TRAFFIC_START,
    0,
  ).length
  const sessions = sessionsPerLoad(site, options, attacks.length + routineCount * options.days)
  let pending: Flow[] = attacks
  for (let day = 0; day < options.days; day++) {
    const start = TRAFFIC_START + day * DAY
    pending.push(...background(random, site, sessions, start, day), ...routinesOfDay(random, site, polls, start, day))
    pending.sort((a, b) => a.time - b.time)
    const next = pending.findIndex((flow) => flow.time >= start + DAY)
    const today = next < 0 ? pending : pending.slice(0, next)
    pending = next < 0 ? [] : pending.slice(next)
    yield today
  }
}

/** Sessions an hour at load 1, so that the period has the wanted number of interactions. */
function sessionsPerLoad(site: Site, options: Required<TrafficOptions>, others: number): number {
  let load = 0
  for (let hour = 0; hour < options.days * 24; hour++) load += loadOfHour(hour)
  return Math.max(0, (options.interactionsPerSite - others) / (sessionSize(site) * load))
}

function background(random: Prng, site: Site, sessions: number, start: number, day: number): Flow[] {
  const flows: Flow[] = []
  for (let hour = 0; hour < 24; hour++)
    flows.push(...sessionsOfHour(random, site, start + hour * HOUR, sessions * loadOfHour(day * 24 + hour)))
  return flows
}

/** @throws invalid-request for sizes out of range */
export function generateTraffic(options: TrafficOptions): readonly SiteTraffic[] {
  const all = { days: 10, interactionsPerSite: 80_000, ...options }
  if (!(Number.isInteger(all.sites) && all.sites >= 1 && all.sites <= SITES_MAX))
    fail('invalid-request', `sites must be 1 to ${SITES_MAX}`)
  if (!(all.days >= 1 && all.days <= 366 && Number.isInteger(all.days)))
    fail('invalid-request', 'days must be a whole number from 1 to 366')
  if (!(all.interactionsPerSite >= 1)) fail('invalid-request', 'interactionsPerSite must be positive')
  return Array.from({ length: all.sites }, (_, index) => siteTraffic(createSite(all.seed, index), all))
}

function siteTraffic(site: Site, options: Required<TrafficOptions>): SiteTraffic {
  function* lines(): Generator<string> {
    yield* ZEEK_HEADER
    // A session that drew its own host as its partner leaves no trace on the wire.
    const write = zeekLineWriter(`${options.seed}/${site.index}`, localMatcher(site.localNetworks))
    for (const day of daysOf(site, options))
      for (const flow of day) if (flow.source !== flow.destination) yield write(interactionOf(flow))
  }
  const { name, localNetworks, index } = site
  return {
    name,
    localNetworks,
    exposure: exposureOf(index),
    trainUntil: TRAFFIC_START + options.days * DAY * TRAINING_SHARE,
    lines,
  }
}
