/** Which threshold holds: one that is given, one chosen now, or the one beside the model. */

import { fail } from '../../base/errors.ts'
import type { RatePoint, ThresholdFile } from '../../models/detection/threshold.ts'
import type { Objective } from '../../models/model.ts'
import { thresholdPath } from './threshold-file.ts'

export interface ChosenThreshold {
  /** Null = nothing is an alert. */
  readonly value: number | null
  readonly from: 'option' | 'calibration' | 'file' | 'none'
  readonly perDay: number | null
  readonly rates: readonly RatePoint[]
}

export interface ThresholdWish {
  readonly modelPath: string
  readonly threshold?: number
  readonly perDay?: number
  /** Scores are wanted, and no alerts. */
  readonly scoresOnly: boolean
}

/** @throws config-invalid if there is no threshold, or none for this rate */
export function chooseThreshold(
  wish: ThresholdWish,
  calibrated?: ThresholdFile,
  saved?: ThresholdFile,
): ChosenThreshold {
  const { modelPath, threshold, perDay, scoresOnly } = wish
  if (threshold !== undefined) return { value: threshold, from: 'option', perDay: null, rates: [] }
  if (calibrated !== undefined)
    return { value: calibrated.threshold, from: 'calibration', perDay: calibrated.perDay, rates: calibrated.rates }
  if (saved !== undefined) return ofFile(saved, perDay ?? saved.perDay)
  if (scoresOnly && perDay === undefined) return { value: null, from: 'none', perDay: null, rates: [] }
  fail(
    'config-invalid',
    `there is no ${thresholdPath(modelPath)}: give --calibrate LOGS with --false-positives-per-day N, or --threshold, or --all`,
  )
}

function ofFile({ perDay, threshold, rates }: ThresholdFile, wanted: number): ChosenThreshold {
  const known = [{ perDay, threshold }, ...rates].find((point) => point.perDay === wanted)
  if (known === undefined)
    fail(
      'config-invalid',
      `the threshold file has ${[perDay, ...rates.map((point) => point.perDay)].join(', ')} alerts a day; for ${wanted} calibrate again`,
    )
  return { value: known.threshold, from: 'file', perDay: wanted, rates }
}

export interface RowsWish {
  readonly localNetworks: readonly string[]
  readonly objective?: Objective
}

/** A threshold says something of rows made in the same way only. @throws config-invalid if other rows are asked for */
export function rowsOf(wish: RowsWish, saved: ThresholdFile | undefined): Required<RowsWish> {
  const { localNetworks, objective } = wish
  if (saved === undefined) return { localNetworks, objective: objective ?? 'supervised' }
  if (localNetworks.length > 0 && [...localNetworks].sort().join() !== [...saved.localNetworks].sort().join())
    fail(
      'config-invalid',
      `the threshold was chosen with --local-networks ${saved.localNetworks.join(',') || '(none)'}: calibrate again for others`,
    )
  if (objective !== undefined && objective !== saved.objective)
    fail('config-invalid', 'the threshold was chosen for the other kind of score: calibrate again')
  return { localNetworks: saved.localNetworks, objective: saved.objective }
}
