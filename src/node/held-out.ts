/** Rows of an organisation's data set that no training ever sees, and what two models say of them. */

import type { Model, ThreatModelSpec } from '../models/model.ts'
import { gainOf, ROWS_MIN, type Trial } from '../learning/verdict.ts'
import { ATTACK } from '../telemetry/dataset.ts'
import { heldOutRows } from '../telemetry/held-out-rows.ts'
import { openDataset } from './dataset-files.ts'
import { modelWidth, readModelRows } from './model-rows.ts'
import type { LabelledData } from './training-matrix.ts'

/** Of each class; both are in memory. */
const ROWS_MAX = 1000

export interface HeldOut {
  /** Row-major. */
  readonly features: Float32Array
  readonly isAttack: readonly boolean[]
}

const NONE: HeldOut = { features: new Float32Array(0), isAttack: [] }

/** None where nothing is held out, there are too few rows, or the labels are not known. @throws not-found, wrong-shape */
export async function heldOut(data: LabelledData, spec: ThreatModelSpec): Promise<HeldOut> {
  if (data.trainUntil === null) return NONE
  const dataset = await openDataset(data.directory)
  try {
    const { rows: table, info } = dataset
    const options = { from: data.trainUntil, families: data.families, rowsMax: ROWS_MAX }
    const rows = heldOutRows(table, info.techniques, options)
    if (rows.length < ROWS_MIN) return NONE
    const width = modelWidth(spec)
    const features = new Float32Array(rows.length * width)
    await readModelRows(dataset, spec, rows, (block, from, count) =>
      features.set(block.subarray(0, count * width), from * width),
    )
    return { features, isAttack: Array.from(rows, (row) => table.label(row) === ATTACK) }
  } finally {
    await dataset.close()
  }
}

export function tryOn(model: Model, { features, isAttack }: HeldOut, before: Float32Array, after: Float32Array): Trial {
  const rows = isAttack.length
  if (rows === 0) return { rows, gain: 0 }
  const [old, fresh] = [model.score(before, features, rows), model.score(after, features, rows)]
  let gain = 0
  for (const [row, attack] of isAttack.entries()) gain += gainOf(old[row] ?? NaN, fresh[row] ?? NaN, attack)
  return { rows, gain }
}
