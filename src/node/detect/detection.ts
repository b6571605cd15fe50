/** A scored interaction, before it is written in one of the formats. */

import { sha256Hex } from '../../base/hash.ts'
import { utf8 } from '../../base/bytes.ts'
import type { Interaction } from '../../telemetry/interaction.ts'

export interface FeatureReason {
  /** Column of the row, as in features/names.ts or graph/layout.ts. */
  readonly name: string
  readonly text: string
  readonly value: number
  /** Its mean over the traffic before that raised no alert. */
  readonly usual: number
  /** By how much the score falls when the column is as usual. */
  readonly share: number
}

export interface PastReason {
  /** What it has in common with the interaction: both ends, or one of them. */
  readonly relation: 'same pair' | 'same source' | 'same destination'
  readonly secondsBefore: number
  readonly interaction: Interaction
  /** By how much the score falls without it; null for a model that sees single interactions only in its counts. */
  readonly share: number | null
}

export interface Explanation {
  /** Score of an interaction of which everything is usual. */
  readonly usualScore: number
  /** Largest share first; none that made the score lower. */
  readonly features: readonly FeatureReason[]
  readonly past: readonly PastReason[]
}

/** `internal`: both ends are the organisation's own; `external`: neither is. */
export type Direction = 'inbound' | 'outbound' | 'internal' | 'external'

export interface Detection {
  /** {@link interactionId}: whoever gets a detection twice, as after a crash, can tell. */
  readonly id: string
  readonly interaction: Interaction
  readonly direction: Direction
  readonly log: string
  /** 1-based. */
  readonly line: number
  /** Logit: higher is worse. */
  readonly score: number
  /** Null if no threshold was set. */
  readonly threshold: number | null
  readonly alert: boolean
  /** False alerts a day that a threshold at this score would have meant in the calibration; null if unknown or commoner. */
  readonly alertsPerDay: number | null
  readonly explanation: Explanation | null
}

/** What is said of every detection alike. */
export interface DetectionContext {
  readonly modelDigest: string
  readonly modelKind: string
  readonly programVersion: string
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

export type Format = (detection: Detection, context: DetectionContext) => unknown

/** The same for the same interaction and model. JSON.stringify spells lone surrogates out, so any log has an id. */
export function interactionId(modelDigest: string, interaction: Interaction): string {
  return sha256Hex(utf8(`${modelDigest}\n${JSON.stringify(interaction)}`)).slice(0, 32)
}

/** An ATT&CK technique or sub-technique, if the log itself names one; an alert's category or a family's name is none. */
export function attackTechnique({ technique }: Interaction): string | null {
  return technique !== undefined && /^T\d{4}(\.\d{3})?$/.test(technique) ? technique : null
}

/** The technique above a sub-technique. */
export const parentTechnique = (technique: string): string => technique.slice(0, 5)

/** End of the year 9999: a log may claim a duration of any length, and a date of no calendar stops every reader. */
const SECONDS_MAX = 253_402_300_799

/** Milliseconds since the epoch. */
export const milliseconds = (seconds: number): number => Math.round(Math.min(seconds, SECONDS_MAX) * 1000)
export const isoTime = (seconds: number): string => new Date(milliseconds(seconds)).toISOString()

const port = (number: number | undefined): string => (number === undefined ? '' : ` port ${number}`)

/** One sentence for a person. */
export function messageOf({ interaction, explanation }: Detection): string {
  const { source, destination, destinationPort, service } = interaction
  const what = service === undefined ? '' : ` (${service})`
  const [first] = explanation?.features ?? []
  const because = first === undefined ? '' : `; ${first.text}`
  return `${source} contacted ${destination}${port(destinationPort)}${what}${because}`
}

/** Weight of the score from 0 to 100: rises with it, and is no probability. */
export function riskOf({ score }: Detection): number {
  return Math.round(100 / (1 + Math.exp(-score)))
}

/** How rare such a score is here: without a calibration nobody knows. */
export function severityOf({
  alert,
  threshold,
  alertsPerDay,
}: Detection): 'none' | 'unknown' | 'low' | 'medium' | 'high' {
  if (!alert) return threshold === null ? 'unknown' : 'none'
  if (alertsPerDay === null) return 'unknown'
  return alertsPerDay < 1 ? 'high' : alertsPerDay <= 10 ? 'medium' : 'low'
}
