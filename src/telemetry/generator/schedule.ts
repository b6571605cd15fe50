/**
 * Which campaign hits which site when. In the training part of the period each site meets half of the techniques, another
 * half at each; from then on every site meets nearly all. So each organisation is tested on attacks that only others had
 * labels of, and there are attacks that it never meets.
 */

import { type Prng, prng } from '../../base/prng.ts'
import { DAY, HOUR } from './background.ts'
import { CAMPAIGN_HOURS_MAX } from './campaigns.ts'
import { ALL_TECHNIQUES, type Technique, TECHNIQUES } from './techniques.ts'

export interface ScheduledCampaign {
  readonly technique: Technique
  readonly start: number
  readonly stealthy: boolean
}

export interface SiteExposure {
  /** Techniques in the training part. */
  readonly training: readonly Technique[]
  /** Techniques in the test part. */
  readonly test: readonly Technique[]
}

/** Share of the period that is for training. */
export const TRAINING_SHARE = 0.7

/** What site `index` meets, whatever the number of sites. */
export function exposureOf(index: number): SiteExposure {
  const count = ALL_TECHNIQUES.length
  const at = (step: number): Technique => ALL_TECHNIQUES[(index + step) % count] as Technique
  return { training: [at(0), at(1), at(3)], test: ALL_TECHNIQUES.filter((technique) => technique !== at(4)) }
}

const CAMPAIGNS_PER_TECHNIQUE = 9
/** A flood has as many rows as a day of campaigns of another kind. */
const FLOODS = 2

function startTime(random: Prng, from: number, until: number): number {
  return from + random.uniform() * Math.max(0, until - from - CAMPAIGN_HOURS_MAX * HOUR * 0.3)
}

function campaignsOf(
  random: Prng,
  techniques: readonly Technique[],
  from: number,
  until: number,
  perDay: number,
): ScheduledCampaign[] {
  return techniques.flatMap((technique) => {
    const wanted = technique === TECHNIQUES.flood ? FLOODS * (perDay / CAMPAIGNS_PER_TECHNIQUE) : perDay
    const count = Math.max(1, Math.round((wanted * (until - from)) / (10 * DAY)))
    return Array.from({ length: count }, (_, i) => ({
      technique,
      start: startTime(random, from, until),
      stealthy: technique !== TECHNIQUES.flood && i % 5 !== 0,
    }))
  })
}

/** Campaigns of a site from `start` to `end`, sorted by time; `density` 1 = nine of each technique in ten days. */
export function scheduleCampaigns(
  seed: string,
  index: number,
  start: number,
  end: number,
  density = 1,
): readonly ScheduledCampaign[] {
  const random = prng(`traffic/${seed}/schedule/${index}`)
  const cut = start + (end - start) * TRAINING_SHARE
  const { training, test } = exposureOf(index)
  const perDay = CAMPAIGNS_PER_TECHNIQUE * density
  const campaigns = [
    ...campaignsOf(random, training, start, cut, perDay * 2),
    ...campaignsOf(random, test, cut, end, perDay * 2),
  ]
  return campaigns.sort((a, b) => a.start - b.start)
}

/** Flows of an average campaign, and the share of attacks that an overlay aims at. */
const CAMPAIGN_FLOWS = 80
const OVERLAY_SHARE = 0.08

/**
 * Campaigns over a capture of any length: as many as its background bears, at least one of each technique in each part.
 * A capture is often shorter than a campaign, which then ends with its part.
 */
export function scheduleOverlay(
  seed: string,
  index: number,
  { from, trainUntil, until }: { readonly from: number; readonly trainUntil: number; readonly until: number },
  interactions: number,
): readonly (ScheduledCampaign & { readonly end: number })[] {
  const random = prng(`overlay/${seed}/schedule/${index}`)
  const { training, test } = exposureOf(index)
  const each = Math.max(
    1,
    Math.round((interactions * OVERLAY_SHARE) / CAMPAIGN_FLOWS / (training.length + test.length)),
  )
  const part = (techniques: readonly Technique[], start: number, end: number) =>
    techniques.flatMap((technique) =>
      Array.from({ length: technique === TECHNIQUES.flood ? Math.ceil(each / 10) : each }, (_, i) => ({
        technique,
        start: start + random.uniform() * (end - start) * 0.7,
        end,
        stealthy: technique !== TECHNIQUES.flood && i % 5 !== 0,
      })),
    )
  return [...part(training, from, trainUntil), ...part(test, trainUntil, until)]
}
