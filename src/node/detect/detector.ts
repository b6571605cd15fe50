/** From scores to detections, in order: which are alerts, and why. */

import { OpenContacts } from '../../models/detection/contacts.ts'
import { rateOf, type RatePoint } from '../../models/detection/threshold.ts'
import type { Interaction } from '../../telemetry/interaction.ts'
import { localMatcher } from '../../telemetry/networks.ts'
import { type Detection, type Direction, interactionId } from './detection.ts'
import { createExplain, type Explain } from './explain.ts'
import type { Judge, Judged, RowScorer } from './row-scorer.ts'

export interface DetectorOptions {
  readonly modelDigest: string
  /** CIDR; none = the private ranges. */
  readonly localNetworks: readonly string[]
  /** Least score of an alert; null = nothing is one. */
  readonly threshold: number | null
  readonly rates: readonly RatePoint[]
  /** Hand on every interaction, not alerts alone. */
  readonly all: boolean
  /** Hand on nothing below this score. */
  readonly scoreMin: number
  readonly explained: boolean
}

export interface DetectionCounts {
  interactions: number
  /** What was handed on. */
  detections: number
  alerts: number
  /** Interactions over the threshold in a contact that had raised its alert. */
  repeats: number
}

export class Detector {
  readonly counts: DetectionCounts = { interactions: 0, detections: 0, alerts: 0, repeats: 0 }
  private readonly options: DetectorOptions
  private readonly emit: (detection: Detection) => void
  private readonly scorer: RowScorer
  private readonly raised = new OpenContacts(() => undefined)
  private readonly explain: Explain
  private readonly isLocal: (address: string) => boolean

  constructor(options: DetectorOptions, scorer: RowScorer, emit: (detection: Detection) => void) {
    this.options = options
    this.scorer = scorer
    this.emit = emit
    this.isLocal = localMatcher(options.localNetworks)
    this.explain = createExplain(scorer.layout, (rows, count) => scorer.score(rows, count))
  }

  push(interaction: Interaction, line: number, log: string): void {
    this.scorer.push({ interaction, line, log }, this.judge)
  }

  /** Has everything handed on that was pushed. */
  settle(): Promise<void> {
    return this.scorer.settle(this.judge)
  }

  private readonly judge: Judge = (judged, score, rows, offset) => {
    const { threshold, all, scoreMin } = this.options
    this.counts.interactions++
    const over = threshold !== null && score >= threshold
    const alert = over && this.isFirst(judged.interaction, score)
    if (score >= scoreMin && (all || alert))
      this.hand(judged, score, alert, () => rows.slice(offset, offset + this.scorer.layout.width))
    return over ? 'unusual' : 'usual'
  }

  /** One alert for each contact; the rest of it is counted. */
  private isFirst({ time, source, destination }: Interaction, score: number): boolean {
    const first = this.raised.add(time, source, destination, score)
    if (first) this.counts.alerts++
    else this.counts.repeats++
    return first
  }

  private hand({ interaction, line, log }: Judged, score: number, alert: boolean, row: () => Float32Array): void {
    const { modelDigest, threshold, rates, explained } = this.options
    const { usual, recent } = this.scorer
    this.counts.detections++
    this.emit({
      id: interactionId(modelDigest, interaction),
      interaction,
      direction: this.directionOf(interaction),
      log,
      line,
      score,
      threshold,
      alert,
      alertsPerDay: rateOf(rates, score) ?? null,
      explanation: alert && explained ? this.explain(interaction, row(), usual.mean(), recent) : null,
    })
  }

  private directionOf({ source, destination }: Interaction): Direction {
    const [from, to] = [this.isLocal(source), this.isLocal(destination)]
    return from ? (to ? 'internal' : 'outbound') : to ? 'inbound' : 'external'
  }
}
