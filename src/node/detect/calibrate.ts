/** A pass over the organisation's own past traffic: what scores does it get when nothing is wrong? */

import { fail } from '../../base/errors.ts'
import { OpenContacts } from '../../models/detection/contacts.ts'
import { Calibration, type ThresholdFile } from '../../models/detection/threshold.ts'
import type { Objective } from '../../models/model.ts'
import type { Interaction } from '../../telemetry/interaction.ts'
import { isoTime } from './detection.ts'
import type { LoadedModel } from './model-file.ts'
import type { Judge, RowScorer } from './row-scorer.ts'

export interface CalibrationOptions {
  readonly model: LoadedModel
  readonly objective: Objective
  readonly localNetworks: readonly string[]
  readonly perDay: number
}

/** Scores traffic in which every alert would be a false one; what the log itself calls an attack is left out. */
export class Calibrator {
  private readonly options: CalibrationOptions
  private readonly scorer: RowScorer
  private readonly contacts: OpenContacts
  private calibration: Calibration | undefined
  private rows = 0
  private attackRows = 0
  private first = Number.POSITIVE_INFINITY
  /** Seconds; time of the latest interaction. */
  last = Number.NEGATIVE_INFINITY

  constructor(scorer: RowScorer, options: CalibrationOptions) {
    this.options = options
    this.scorer = scorer
    this.contacts = new OpenContacts((score, minute) => this.calibration?.add(minute * 60, score))
  }

  push(interaction: Interaction, line: number, log: string): void {
    this.scorer.push({ interaction, line, log }, this.judge)
  }

  private readonly judge: Judge = ({ interaction }, score) => {
    const { time, source, destination, label } = interaction
    this.rows++
    if (label === 'attack') {
      this.attackRows++
      return 'unusual'
    }
    this.first = Math.min(this.first, time)
    this.last = Math.max(this.last, time)
    this.calibration ??= new Calibration(60 * Math.floor(time / 60))
    this.contacts.add(time, source, destination, score)
    return 'usual'
  }

  settle(): Promise<void> {
    return this.scorer.settle(this.judge)
  }

  /** Once all is settled. @throws no-data; invalid-request if so many alerts a day are more than there are contacts */
  finish(now: number): ThresholdFile {
    this.contacts.finish()
    if (this.calibration === undefined) fail('no-data', 'there is no interaction to calibrate on')
    const { model, objective, perDay, localNetworks } = this.options
    const { rates, ...choice } = this.calibration.choose(perDay)
    return {
      format: 'entente-threshold-1',
      model: model.digest,
      objective,
      ...choice,
      rates: [...rates],
      rows: this.rows,
      attackRows: this.attackRows,
      firstTime: isoTime(this.first),
      lastTime: isoTime(this.last),
      calibratedAt: new Date(now).toISOString(),
      localNetworks: [...localNetworks],
    }
  }
}
