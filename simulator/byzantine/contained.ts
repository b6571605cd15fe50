/** Whether a rule held: how far liars moved the last model, measured by how far honest learning moves it. */

import type { Digest } from '../../src/base/ids.ts'
import { decodeSafetensors } from '../../src/models/formats/safetensors.ts'
import { blocksOf } from '../checkers/blocks.ts'
import type { Run, Violation } from '../run.ts'

/** Liars may take the model away from the honest one by less than this part of the way that the honest one went. */
export const CONTAINED = 0.5

const CHECKER = 'contained'

export interface Containment {
  readonly violations: readonly Violation[]
  /** Distance to the honest model over the way that the honest model went. */
  readonly distance: number
}

export function checkContained(run: Run, honest: Run): Containment {
  const [first, last, wanted] = [modelAt(honest, 0), modelAt(run, -1), modelAt(honest, -1)]
  const distance = between(last, wanted) / between(wanted, first)
  const messages = [
    ...(distance < CONTAINED ? [] : [`the model is ${distance.toFixed(2)} of the honest way from the honest one`]),
    ...unsaid(run),
  ]
  return { distance, violations: messages.map((message) => ({ checker: CHECKER, message })) }
}

/** Each block of a round must say which rule made it: a mean in its place would be found by nobody. */
function unsaid(run: Run): string[] {
  const wanted = run.plan.scenario.robust?.rule
  return blocksOf(run).flatMap(({ height, aggregation_metrics: { round, robust_rule: said } }) =>
    round === 0 || said === wanted ? [] : [`block ${height} says that ${String(said)} made it, not ${String(wanted)}`],
  )
}

function modelAt(run: Run, position: number): Float64Array {
  const digest = blocksOf(run).at(position)?.model_hash as Digest
  const file = run.hub.blobs.get(digest)
  if (file === undefined) throw new Error(`the hub does not hold the model ${digest}`)
  return Float64Array.from([...decodeSafetensors(file).tensors.values()].flatMap(({ values }) => [...values]))
}

const between = (a: Float64Array, b: Float64Array): number => Math.hypot(...a.map((value, i) => value - (b[i] ?? 0)))
