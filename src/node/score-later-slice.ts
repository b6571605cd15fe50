/**
 * One pass over an organisation's stream: the baselines see all of it in order, the models score the part after the cut.
 * Memory: one block of features, and a few bytes a row of the slice.
 */

import { createMidas } from '../models/baselines/midas.ts'
import { createOneBit } from '../models/baselines/one-bit.ts'
import { KIND_ATTACK, KIND_OTHERS, KIND_STEALTHY } from '../models/later-slice.ts'
import type { Model } from '../models/model.ts'
import { ATTACK, type RowTable, STEALTHY, UNKNOWN } from '../telemetry/dataset.ts'
import { triplesOf } from '../telemetry/triples.ts'
import type { OpenDataset } from './dataset-files.ts'
import type { ScoredSlice, ScoreTask } from './evaluate-tasks.ts'
import { readModelRows } from './model-rows.ts'

export async function scoreLaterSlice(
  dataset: OpenDataset,
  model: Model,
  task: ScoreTask,
  onProgress: (share: number) => void,
): Promise<ScoredSlice> {
  const selected = laterRows(dataset.rows, task.trainUntil)
  return {
    kinds: kindsOf(dataset, selected, task.othersFamilies),
    ...triplesOf(dataset.rows, selected),
    scores: {
      ...scoreBaselines(dataset.rows, selected),
      ...(await scoreModels(dataset, model, selected, task, onProgress)),
    },
  }
}

/** Rows from the cut on with a known label, ascending. */
function laterRows(rows: RowTable, trainUntil: number): Uint32Array {
  const isLater = (row: number): boolean => rows.time(row) >= trainUntil && rows.label(row) !== UNKNOWN
  let count = 0
  for (let row = 0; row < rows.length; row++) if (isLater(row)) count++
  const selected = new Uint32Array(count)
  let at = 0
  for (let row = 0; row < rows.length; row++) if (isLater(row)) selected[at++] = row
  return selected
}

function kindsOf({ rows, info }: OpenDataset, selected: Uint32Array, othersFamilies: readonly string[]): Uint8Array {
  const others = info.techniques.map((name) => othersFamilies.includes(name))
  return Uint8Array.from(selected, (row) => {
    if (rows.label(row) !== ATTACK) return 0
    const stealthy = (rows.flags(row) & STEALTHY) === 0 ? 0 : KIND_STEALTHY
    return KIND_ATTACK | stealthy | (others[rows.technique(row)] === true ? KIND_OTHERS : 0)
  })
}

function scoreBaselines(rows: RowTable, selected: Uint32Array): { counter: Float32Array; oneBit: Float32Array } {
  const scorers = { counter: createMidas(), oneBit: createOneBit() }
  const counter = new Float32Array(selected.length)
  const oneBit = new Float32Array(selected.length)
  let at = 0
  for (let row = 0; row < rows.length; row++) {
    const edge = [rows.minute(row), rows.sourceId(row), rows.destinationId(row), rows.flags(row)] as const
    const count = scorers.counter.score(...edge)
    if (selected[at] !== row) continue
    counter[at] = count
    oneBit[at++] = scorers.oneBit.score(...edge)
  }
  return { counter, oneBit }
}

async function scoreModels(
  dataset: OpenDataset,
  model: Model,
  selected: Uint32Array,
  { models, objective }: ScoreTask,
  onProgress: (share: number) => void,
): Promise<Record<string, Float32Array>> {
  const scores = Object.fromEntries(Object.keys(models).map((name) => [name, new Float32Array(selected.length)]))
  await readModelRows(dataset, model.spec, selected, (rows, from, count) => {
    for (const [name, parameters] of Object.entries(models))
      scores[name]?.set(model.score(parameters, rows, count, objective), from)
    onProgress((from + count) / selected.length)
  })
  return scores
}
