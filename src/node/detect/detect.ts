/**
 * Scores logs, or one that grows, with a model: interactions through the readers of ingest, detections out in order.
 * Memory is bounded by the features' tables and one batch of lines: the reader waits until what came of it is written.
 */

import { fail } from '../../base/errors.ts'
import type { RatePoint, ThresholdFile } from '../../models/detection/threshold.ts'
import type { Interaction, LogFormat } from '../../telemetry/interaction.ts'
import { followLog } from '../ingest/follow.ts'
import { createQuarantine } from '../ingest/quarantine.ts'
import type { SourceReport, Take } from '../ingest/source.ts'
import { type LogsReport, readLogs } from '../ingest/survey.ts'
import { Calibrator } from './calibrate.ts'
import type { Detection } from './detection.ts'
import { type DetectionCounts, Detector } from './detector.ts'
import { type Output, OutputClosed } from './output.ts'
import { RowScorer, type RowScorerOptions } from './row-scorer.ts'

/** Whatever scores are asked of: the model, and how its rows are made. */
export interface ScoringOptions extends RowScorerOptions {
  /** Of every log. */
  readonly logFormat: LogFormat | 'auto'
  /** Told the interactions so far, now and then. */
  readonly onProgress?: (interactions: number) => void
}

/** What was read before the input, and so is known when it begins. */
export interface Memory {
  readonly scorer: RowScorer
  /** Seconds; time of the latest interaction. */
  readonly last: number
}

const readOptions = ({ logFormat }: ScoringOptions) =>
  ({ format: logFormat, selection: 'contacts', quarantine: createQuarantine() }) as const

/** Learns past traffic without judging it. @throws input-invalid */
export async function learnHistory(paths: readonly string[], options: ScoringOptions): Promise<Memory> {
  const scorer = new RowScorer(options)
  let last = Number.NEGATIVE_INFINITY
  let seen = 0
  const take = (interaction: Interaction): void => {
    scorer.learn(interaction)
    last = Math.max(last, interaction.time)
    seen++
  }
  await readLogs(paths, readOptions(options), take, async () => options.onProgress?.(seen))
  return { scorer, last }
}

export interface CalibrateOptions extends ScoringOptions {
  readonly paths: readonly string[]
  readonly perDay: number
  /** Milliseconds since the epoch. */
  readonly now: number
}

/** @throws input-invalid, no-data, invalid-request */
export async function calibrate(
  options: CalibrateOptions,
  before?: Memory,
): Promise<{ file: ThresholdFile; memory: Memory }> {
  const scorer = before?.scorer ?? new RowScorer(options)
  const calibrator = new Calibrator(scorer, options)
  let seen = 0
  const take: Take = (interaction, line, log) => {
    calibrator.push(interaction, line, log)
    seen++
  }
  await readLogs(options.paths, readOptions(options), take, async () => {
    await calibrator.settle()
    options.onProgress?.(seen)
  })
  const file = calibrator.finish(options.now)
  return { file, memory: { scorer, last: Math.max(calibrator.last, before?.last ?? Number.NEGATIVE_INFINITY) } }
}

export interface DetectOptions extends ScoringOptions {
  readonly paths: readonly string[]
  readonly threshold: number | null
  readonly rates: readonly RatePoint[]
  readonly all: boolean
  readonly scoreMin: number
  readonly explained: boolean
  readonly output: Output
  readonly format: (detection: Detection) => unknown
  /** Follow the one path until `signal` aborts; with a directory, go on after a restart where it stopped. */
  readonly follow?: { readonly signal: AbortSignal; readonly directory?: string }
}

export interface DetectReport extends DetectionCounts {
  readonly sources: readonly SourceReport[]
  readonly refusedFiles: LogsReport['refusedFiles']
  /** `cold`: nothing was known before, or the input begins before what was known ends, which would be to look ahead. */
  readonly memory: 'warm' | 'cold'
  /** Seconds; null without an interaction. */
  readonly firstTime: number | null
  readonly lastTime: number | null
  /** The reader of the output went away before the end. */
  readonly outputClosed: boolean
}

/** One pass over the input. */
class Run {
  private readonly options: DetectOptions
  private readonly before: Memory | undefined
  private detector: Detector | undefined
  private memory: 'warm' | 'cold' = 'cold'
  private firstTime = Number.POSITIVE_INFINITY
  private lastTime = Number.NEGATIVE_INFINITY

  constructor(options: DetectOptions, before: Memory | undefined) {
    this.options = options
    this.before = before
  }

  private readonly take: Take = (interaction, line, log) => {
    this.detector ??= this.begin(interaction.time, this.before)
    this.firstTime = Math.min(this.firstTime, interaction.time)
    this.lastTime = Math.max(this.lastTime, interaction.time)
    this.detector.push(interaction, line, log)
  }

  private readonly pause = async (): Promise<void> => {
    await this.detector?.settle()
    await this.options.output.flush()
    this.options.onProgress?.(this.detector?.counts.interactions ?? 0)
  }

  private begin(time: number, before: Memory | undefined): Detector {
    const { options } = this
    const { model, output, format } = options
    const warm = before !== undefined && time >= before.last
    this.memory = warm ? 'warm' : 'cold'
    const scorer = warm ? before.scorer : new RowScorer(options)
    return new Detector({ ...options, modelDigest: model.digest }, scorer, (detection) =>
      output.line(format(detection)),
    )
  }

  readAll(): Promise<LogsReport> {
    return readLogs(this.options.paths, readOptions(this.options), this.take, this.pause)
  }

  async follow({ signal, directory }: NonNullable<DetectOptions['follow']>): Promise<LogsReport> {
    const { options } = this
    const [path] = options.paths
    if (path === undefined || options.paths.length > 1) fail('config-invalid', '--follow takes one file')
    const report = await followLog({
      path,
      format: options.logFormat,
      selection: 'contacts',
      signal,
      take: this.take,
      pause: this.pause,
      ...(directory === undefined ? {} : { directory, resumed: (interactions) => this.resume(interactions) }),
    })
    return { sources: [report], refusedFiles: [] }
  }

  /** After a restart what was acknowledged before is known again, and raises nothing. */
  private async resume(interactions: string): Promise<void> {
    const known = await learnHistory([interactions], { ...this.options, logFormat: 'interaction-json' })
    if (known.last > Number.NEGATIVE_INFINITY) this.detector = this.begin(Number.POSITIVE_INFINITY, known)
  }

  report({ sources, refusedFiles }: LogsReport, outputClosed: boolean): DetectReport {
    const counts = this.detector?.counts ?? { interactions: 0, detections: 0, alerts: 0, repeats: 0 }
    const seen = this.lastTime > Number.NEGATIVE_INFINITY
    return {
      ...counts,
      sources,
      refusedFiles,
      memory: this.memory,
      firstTime: seen ? this.firstTime : null,
      lastTime: seen ? this.lastTime : null,
      outputClosed,
    }
  }
}

/** @throws input-invalid, storage-full, not-finite, wrong-shape */
export async function detect(options: DetectOptions, before?: Memory): Promise<DetectReport> {
  const run = new Run(options, before)
  try {
    const read = options.follow === undefined ? await run.readAll() : await run.follow(options.follow)
    return run.report(read, false)
  } catch (cause) {
    if (!(cause instanceof OutputClosed)) throw cause
    return run.report({ sources: [], refusedFiles: [] }, true)
  }
}
