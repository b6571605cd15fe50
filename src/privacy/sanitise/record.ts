/** One JSON record against the allow-list of its kind. What no rule names is removed, at any depth. */

import type { FieldRules } from './actions.ts'
import type { Tally } from './report.ts'
import type { Values } from './values.ts'

export type JsonObject = Readonly<Record<string, unknown>>

export interface RecordContext {
  readonly kind: string
  readonly rules: FieldRules
  /** Other spellings of a path. */
  readonly aliases?: ReadonlyMap<string, string>
  readonly values: Values
  readonly tally: Tally
}

/** Deeper records come from an attacker, not from a sensor. */
const DEPTH_MAX = 8

export function sanitiseRecord(record: JsonObject, context: RecordContext): JsonObject {
  return objectAt(record, '', context, 0)
}

function objectAt(record: JsonObject, prefix: string, context: RecordContext, depth: number): JsonObject {
  const out: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(record)) {
    const path = context.aliases?.get(key) ?? (prefix === '' ? key : `${prefix}.${key}`)
    const result = valueAt(value, path, context, depth)
    if (result !== undefined) out[key] = result
  }
  return out
}

function valueAt(value: unknown, path: string, context: RecordContext, depth: number): unknown {
  if (value === null) return context.rules.has(path) ? null : undefined
  if (Array.isArray(value)) return arrayAt(value, path, context, depth)
  if (typeof value !== 'object') return leafAt(value, path, context)
  const inside = depth < DEPTH_MAX ? objectAt(value as JsonObject, path, context, depth + 1) : {}
  return Object.keys(inside).length > 0 ? inside : undefined
}

function arrayAt(values: readonly unknown[], path: string, context: RecordContext, depth: number): unknown {
  if (depth >= DEPTH_MAX) return undefined
  const kept = values.flatMap((value) => valueAt(value, path, context, depth + 1) ?? [])
  return kept.length > 0 || (values.length === 0 && context.rules.has(path)) ? kept : undefined
}

function leafAt(value: unknown, path: string, { kind, rules, values, tally }: RecordContext): unknown {
  const action = rules.get(path)
  if (action === undefined) {
    tally.unlisted(kind)
    return undefined
  }
  if (typeof value === 'boolean') return action === 'keep' ? value : undefined
  if (typeof value === 'number') {
    if (action === 'keep') return value
    const result = values.sanitise(action, String(value), `${kind}:${path}`)
    return result === undefined || action !== 'number' ? result : Number(result)
  }
  return typeof value === 'string' ? values.sanitise(action, value, `${kind}:${path}`) : undefined
}
