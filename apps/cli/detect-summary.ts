/** What a detection comes to, for a person or a program. */

import type { ChosenThreshold } from '../../src/node/detect/choose-threshold.ts'
import type { DetectReport } from '../../src/node/detect/detect.ts'
import type { LoadedModel } from '../../src/node/detect/model-file.ts'
import { refusedLines } from '../../src/node/ingest.ts'

/** What `--json` prints at the end. */
export interface DetectSummary extends Omit<DetectReport, 'sources' | 'firstTime' | 'lastTime'> {
  readonly model: string
  /** Least score of an alert; null if none was set. */
  readonly threshold: number | null
  readonly thresholdFrom: ChosenThreshold['from']
  readonly falsePositivesPerDay: number | null
  /** Days from the first to the last interaction. */
  readonly days: number
  readonly refusedLines: number
  readonly seconds: number
}

export function summaryOf(
  { digest }: LoadedModel,
  threshold: ChosenThreshold,
  { sources, firstTime, lastTime, ...report }: DetectReport,
  seconds: number,
): DetectSummary {
  return {
    model: digest,
    threshold: threshold.value,
    thresholdFrom: threshold.from,
    falsePositivesPerDay: threshold.perDay,
    ...report,
    days: firstTime === null || lastTime === null ? 0 : (lastTime - firstTime) / 86_400,
    refusedLines: refusedLines(sources.map(({ source }) => source)),
    seconds,
  }
}

/** On standard output only where detections do not go there: whoever reads them reads nothing else. */
export function summarise(
  summary: DetectSummary,
  { output, json }: { readonly output?: string; readonly json?: boolean },
): void {
  const out = output === undefined ? process.stderr : process.stdout
  out.write(`${json === true ? JSON.stringify(summary) : render(summary)}\n`)
}

function render({
  interactions,
  alerts,
  repeats,
  detections,
  days,
  refusedLines: refused,
  refusedFiles,
  seconds,
  memory,
}: DetectSummary): string {
  const rate = Math.round(interactions / Math.max(seconds, 1e-3)).toLocaleString('en')
  const daily = days > 0 ? `, ${(alerts / days).toFixed(1)} a day` : ''
  return [
    `${interactions.toLocaleString('en')} interactions in ${seconds.toFixed(1)} s (${rate}/s), ${days.toFixed(2)} days of traffic`,
    `${alerts} alerts${daily}; ${repeats} more interactions belong to their contacts; ${detections} written`,
    ...(memory === 'cold' ? ['nothing was known before: at the beginning everything was new (see --history)'] : []),
    ...(refused > 0 ? [`${refused} lines were refused`] : []),
    ...refusedFiles.map(({ name }) => `not a log: ${name.replace(/[\p{Cc}\p{Cf}]/gu, '?')}`),
  ].join('\n')
}
