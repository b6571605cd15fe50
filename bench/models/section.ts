/** What a section of the bench is given. */

import type { Kernels } from '../../src/models/kernels/kernels.ts'
import type { ThreatModelKind } from '../../src/node/default-model.ts'
import type { Sheet } from './results.ts'

export interface SectionContext {
  readonly seed: string
  readonly model: ThreatModelKind
  readonly kernels: Kernels
  /** Directory for data sets that several runs use. */
  readonly cache: string
  readonly sheet: Sheet
  /** True in the test that keeps this bench alive: seconds, and figures without meaning. */
  readonly tiny: boolean
  /** Path in ../shared, or undefined if it is not there. */
  shared(path: string): string | undefined
  progress(message: string): void
  /** Says that a part is left out, and why. */
  skip(why: string): void
}

export type Section = (context: SectionContext) => Promise<void>
