/** Precision and recall of the detectors over labelled lines. */

import type { DetectorName } from '../detectors/detector.ts'
import { DETECTOR_NAMES, type FreeTextDetector } from '../detectors/detectors.ts'
import type { Labelled } from './marked.ts'

export interface DetectorScore {
  readonly detector: DetectorName
  readonly labelled: number
  /** Labels of which every character was found, by this detector or, what protects as well, by another. */
  readonly covered: number
  /** Of those, found under their own name. */
  readonly named: number
  /** Findings under this name that touch no label. */
  readonly spurious: number
  readonly findings: number
  /** covered / labelled. */
  readonly recall: number
  /** 1 - spurious / findings. */
  readonly precision: number
}

export function evaluate(lines: readonly Labelled[], detect: FreeTextDetector): DetectorScore[] {
  const zero = { labelled: 0, covered: 0, named: 0, spurious: 0, findings: 0 }
  const scores = new Map(DETECTOR_NAMES.map((name) => [name, { ...zero }]))
  const of = (name: DetectorName): typeof zero => scores.get(name) ?? { ...zero }
  for (const { text, labels } of lines) {
    const found = detect(text)
    for (const { detector, begin, end } of labels) {
      const score = of(detector)
      score.labelled++
      if (isCovered(begin, end, found)) score.covered++
      if (found.some((one) => one.detector === detector && one.begin <= begin && one.end >= end)) score.named++
    }
    for (const { detector, begin, end } of found) {
      of(detector).findings++
      if (!labels.some((label) => label.begin < end && label.end > begin)) of(detector).spurious++
    }
  }
  return DETECTOR_NAMES.map((detector) => {
    const score = of(detector)
    const { labelled, covered, findings, spurious } = score
    return { detector, ...score, recall: covered / labelled, precision: 1 - spurious / Math.max(1, findings) }
  })
}

function isCovered(begin: number, end: number, found: readonly { begin: number; end: number }[]): boolean {
  let at = begin
  for (const one of found) if (one.begin <= at && one.end > at) at = one.end
  return at >= end
}
