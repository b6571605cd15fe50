/**
 * The score from which on an interaction is an alert, chosen by the false alerts a day that a team can read. The choice is
 * made on the organisation's own past traffic: what the quantile of other people's scores would mean here, nobody knows.
 */

import { z } from 'zod'
import { fail } from '../../base/errors.ts'
import { type Digest, isDigest } from '../../base/ids.ts'
import { TopScores } from './top-scores.ts'

const DAY = 86_400
/** At these rates the threshold is written down too, so that a score tells how rare it is. */
const RATES: readonly number[] = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000]
/** While the memory of the features fills, everything is new. The longest of these that is a quarter of the data is left out. */
const WARM_UPS: readonly number[] = [DAY, 3600, 0]

export interface RatePoint {
  /** False alerts a day. */
  readonly perDay: number
  readonly threshold: number
}

export interface ThresholdChoice {
  readonly perDay: number
  /** Least score of an alert. */
  readonly threshold: number
  /** Thresholds of other rates, rarest first. */
  readonly rates: readonly RatePoint[]
  /** Contacts that were ranked, and the days that they cover: those of the warm-up are left out. */
  readonly contacts: number
  readonly days: number
  readonly warmUpSeconds: number
}

/** The next larger float32: a threshold above a score that must not raise an alert. */
export function nextFloat32(value: number): number {
  const float = new Float32Array([value])
  const bits = new Int32Array(float.buffer)
  const now = float[0] as number
  if (!Number.isFinite(now)) return now
  if (now === 0) return 2 ** -149
  bits[0] = (bits[0] as number) + (now > 0 ? 1 : -1)
  return float[0] as number
}

/** Scores of past contacts, ranked with and without the time in which everything was new. */
export class Calibration {
  private readonly start: number
  private readonly ranked: readonly TopScores[]
  private first: number
  private last: number

  /** @param start seconds; when the memory of the features began to fill */
  constructor(start: number) {
    this.start = start
    this.first = start
    this.last = start
    this.ranked = WARM_UPS.map(() => new TopScores())
  }

  /** A contact that is over, by its time in seconds. Contacts come in any order, as logs are written when they end. */
  add(time: number, score: number): void {
    this.first = Math.min(this.first, time)
    this.last = Math.max(this.last, time)
    WARM_UPS.forEach((warmUp, i) => {
      if (warmUp === 0 || time >= this.start + warmUp) this.ranked[i]?.add(score)
    })
  }

  /**
   * The least threshold at which this data would have raised `perDay` alerts a day or fewer. Below one alert in all of the
   * data it lies above every score.
   * @throws no-data if the data covers no time; invalid-request for a rate that is not positive, or higher than there are contacts
   */
  choose(perDay: number): ThresholdChoice {
    if (!(perDay > 0) || !Number.isFinite(perDay)) fail('invalid-request', 'false positives per day must be positive')
    const span = this.last - this.first
    if (!(span > 0)) fail('no-data', 'the traffic to calibrate on covers no time')
    const at = WARM_UPS.findIndex((warmUp) => warmUp <= (this.last - this.start) / 4)
    const scores = this.ranked[at] as TopScores
    const warmUpSeconds = WARM_UPS[at] as number
    const days = (warmUpSeconds === 0 ? span : this.last - this.start - warmUpSeconds) / DAY
    const threshold = thresholdOf(scores, perDay * days)
    if (threshold === undefined)
      fail(
        'invalid-request',
        `there are ${scores.count} contacts in ${days.toFixed(2)} days: ${perDay} alerts a day are more than all`,
      )
    const rates = RATES.flatMap((rate) => {
      const threshold = rate * days < 1 ? undefined : thresholdOf(scores, rate * days)
      return threshold === undefined ? [] : [{ perDay: rate, threshold }]
    })
    return { perDay, threshold, rates, contacts: scores.count, days, warmUpSeconds }
  }
}

/** Undefined if all contacts together are within the budget, or more than can be ranked. */
function thresholdOf(scores: TopScores, budget: number): number | undefined {
  const alerts = Math.floor(budget)
  if (alerts >= scores.guaranteed) return undefined
  const firstQuiet = scores.rank(alerts)
  return firstQuiet === undefined ? undefined : nextFloat32(firstQuiet)
}

/** The rarest of the written rates at which this score is still an alert; undefined if it is commoner than all of them. */
export function rateOf(rates: readonly RatePoint[], score: number): number | undefined {
  return rates.find(({ threshold }) => score >= threshold)?.perDay
}

const point = z.strictObject({ perDay: z.number().positive(), threshold: z.number() })
const fileSchema = z.strictObject({
  format: z.literal('entente-threshold-1'),
  model: z.string().refine(isDigest),
  /** Which scores: of attacks that were learnt from labels, or of surprise. */
  objective: z.enum(['supervised', 'link']),
  perDay: z.number().positive(),
  threshold: z.number(),
  rates: z.array(point).max(RATES.length),
  contacts: z.int().nonnegative(),
  days: z.number().positive(),
  warmUpSeconds: z.number().nonnegative(),
  /** Interactions of the calibration; those that the log calls attacks are no false positives and were left out. */
  rows: z.int().nonnegative(),
  attackRows: z.int().nonnegative(),
  /** RFC 3339. */
  firstTime: z.string(),
  lastTime: z.string(),
  calibratedAt: z.string(),
  localNetworks: z.array(z.string()),
})

/** What is kept beside a model. */
export type ThresholdFile = z.infer<typeof fileSchema>

export function encodeThreshold(file: ThresholdFile): string {
  return `${JSON.stringify(file, null, 2)}\n`
}

/** @throws config-invalid if the text is damaged, or of another model */
export function parseThreshold(text: string, model: Digest): ThresholdFile {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    json = undefined
  }
  const file = fileSchema.safeParse(json).data
  if (file === undefined) fail('config-invalid', 'the threshold file is damaged: delete it and calibrate again')
  if (file.model !== model)
    fail(
      'config-invalid',
      `the threshold was chosen for model ${file.model.slice(0, 16)}…, not for ${model.slice(0, 16)}…`,
    )
  return file
}
