/** Logs of one JSON object a line: Zeek, Suricata, Windows events, interactions. */

import type { FieldRules } from '../actions.ts'
import { INTERACTION, WINDOWS } from '../fields/others.ts'
import { suricataRules } from '../fields/suricata.ts'
import { ZEEK_ALIASES, zeekPath, zeekRules } from '../fields/zeek.ts'
import { type JsonObject, sanitiseRecord } from '../record.ts'
import type { LineContext, LineSanitiser } from './line.ts'

interface Rules {
  readonly kind: string
  readonly rules: FieldRules
  readonly aliases?: ReadonlyMap<string, string>
}

function jsonSanitiser(rulesOf: (record: JsonObject) => Rules, context: LineContext): LineSanitiser {
  return (line) => {
    if (line.trim() === '') return ''
    const record = parse(line)
    if (record === undefined) return void context.tally.dropped('json')
    return JSON.stringify(sanitiseRecord(record, { ...context, ...rulesOf(record) }))
  }
}

function parse(line: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined
  } catch {
    return undefined
  }
}

export const zeekJson = (context: LineContext): LineSanitiser =>
  jsonSanitiser((record) => ({ ...zeekRules(zeekPath(record)), aliases: ZEEK_ALIASES }), context)

export const suricataEve = (context: LineContext): LineSanitiser =>
  jsonSanitiser((record) => suricataRules(record['event_type']), context)

export const windowsJson = (context: LineContext): LineSanitiser =>
  jsonSanitiser(() => ({ kind: 'windows', rules: WINDOWS }), context)

export const interactionJson = (context: LineContext): LineSanitiser =>
  jsonSanitiser(() => ({ kind: 'interaction', rules: INTERACTION }), context)
