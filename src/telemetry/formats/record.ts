/** Typed access to the members of a hostile JSON object. */

export type JsonRecord = Readonly<Record<string, unknown>>

/** The object of a JSON line; undefined if the text is not JSON, or not an object. */
export function parseRecord(line: string): JsonRecord | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return asRecord(value)
  } catch {
    return undefined
  }
}

export function asRecord(value: unknown): JsonRecord | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonRecord) : undefined
}

export function stringAt(record: JsonRecord, key: string): string | undefined {
  const value = record[key]
  return typeof value === 'string' ? value : undefined
}

/** A non-negative finite number; undefined if absent, NaN if it is anything else. */
export function amountAt(record: JsonRecord, key: string): number | undefined {
  const value = record[key]
  if (value === undefined || value === null) return undefined
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : Number.NaN
}
