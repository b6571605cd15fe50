/**
 * The data set on disk, made once from an organisation's logs: `dataset.json`, `features.f32` (row-major float32,
 * little-endian), `rows.bin` (32 bytes a row) and `hosts.txt` (one address a line; the line's index is the host's id).
 */

import { z } from 'zod'
import { fail } from '../base/errors.ts'
import { LOG_FORMATS } from './interaction.ts'

export const DATASET_FILES = {
  info: 'dataset.json',
  features: 'features.f32',
  rows: 'rows.bin',
  hosts: 'hosts.txt',
} as const
export const ROW_BYTES = 32
/** Values of a row's label. */
export const BENIGN = 0
export const ATTACK = 1
export const UNKNOWN = 2
/** Bits of a row's flags. */
export const STEALTHY = 1
export const SOURCE_EXTERNAL = 2

const counts = z.record(z.string(), z.int().nonnegative())

const sourceSchema = z.strictObject({
  /** Base name of the file. */
  name: z.string(),
  format: z.enum(LOG_FORMATS),
  lines: z.int().nonnegative(),
  interactions: z.int().nonnegative(),
  /** Lines that hold no interaction, by kind. */
  skipped: counts,
  /** Lines that do not parse, by reason. */
  refused: counts,
  /** True if the last line had no line end and did not parse: the log was cut while being written. */
  truncated: z.boolean(),
})

const infoSchema = z.strictObject({
  version: z.literal(1),
  rows: z.int().nonnegative(),
  featureNames: z.array(z.string()),
  /** Index 0 is the empty name: no technique. */
  techniques: z.array(z.string()),
  hosts: z.int().nonnegative(),
  labels: z.strictObject({ benign: z.int(), attack: z.int(), unknown: z.int(), stealthy: z.int() }),
  /** Attack rows of each technique. */
  techniqueRows: counts,
  timeFirst: z.number().nullable(),
  timeLast: z.number().nullable(),
  localNetworks: z.array(z.string()),
  sources: z.array(sourceSchema),
})

export type DatasetSource = z.infer<typeof sourceSchema>
export type DatasetInfo = z.infer<typeof infoSchema>

export function encodeInfo(info: DatasetInfo): string {
  return `${JSON.stringify(info, null, 2)}\n`
}

/** @throws input-invalid for anything but the text of a `dataset.json`. */
export function decodeInfo(text: string): DatasetInfo {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    fail('input-invalid', 'dataset.json is not JSON')
  }
  const parsed = infoSchema.safeParse(value)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  fail('input-invalid', `dataset.json: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'malformed'}`)
}

export interface DatasetRow {
  readonly time: number
  readonly sourceId: number
  readonly destinationId: number
  /** Minutes since the epoch: the tick. */
  readonly minute: number
  /** Index into `techniques`; 0 = none. */
  readonly technique: number
  readonly label: number
  readonly flags: number
  /** 1-based line of the source file. */
  readonly line: number
}

/** Rows in memory, 32 bytes each, read in place. */
export class RowTable {
  readonly length: number
  private readonly view: DataView

  /** @throws input-invalid unless `bytes` is a whole number of rows. */
  constructor(bytes: Uint8Array) {
    if (bytes.length % ROW_BYTES !== 0)
      fail('input-invalid', `rows.bin: ${bytes.length} bytes are not whole rows of ${ROW_BYTES}`)
    this.length = bytes.length / ROW_BYTES
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  }

  time(row: number): number {
    return this.view.getFloat64(row * ROW_BYTES, true)
  }

  sourceId(row: number): number {
    return this.view.getUint32(row * ROW_BYTES + 8, true)
  }

  destinationId(row: number): number {
    return this.view.getUint32(row * ROW_BYTES + 12, true)
  }

  minute(row: number): number {
    return this.view.getUint32(row * ROW_BYTES + 16, true)
  }

  technique(row: number): number {
    return this.view.getUint16(row * ROW_BYTES + 20, true)
  }

  label(row: number): number {
    return this.view.getUint8(row * ROW_BYTES + 22)
  }

  flags(row: number): number {
    return this.view.getUint8(row * ROW_BYTES + 23)
  }

  line(row: number): number {
    return this.view.getUint32(row * ROW_BYTES + 24, true)
  }

  at(row: number): DatasetRow {
    return {
      time: this.time(row),
      sourceId: this.sourceId(row),
      destinationId: this.destinationId(row),
      minute: this.minute(row),
      technique: this.technique(row),
      label: this.label(row),
      flags: this.flags(row),
      line: this.line(row),
    }
  }
}

/** Writes row `index` of a block of rows. */
export function encodeRow(view: DataView, index: number, row: DatasetRow): void {
  const at = index * ROW_BYTES
  view.setFloat64(at, row.time, true)
  view.setUint32(at + 8, row.sourceId, true)
  view.setUint32(at + 12, row.destinationId, true)
  view.setUint32(at + 16, row.minute, true)
  view.setUint16(at + 20, row.technique, true)
  view.setUint8(at + 22, row.label)
  view.setUint8(at + 23, row.flags)
  view.setUint32(at + 24, row.line, true)
  view.setUint32(at + 28, 0, true)
}
