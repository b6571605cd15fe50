/** The sections by name, and what each is given. */

import type { Kernels } from '../../src/models/kernels/kernels.ts'
import type { Sheet } from '../models/results.ts'
import { audited } from './privacy/audited.ts'
import { inversion } from './privacy/inversion.ts'
import { membership } from './privacy/membership.ts'
import { property } from './privacy/property.ts'
import { detection } from './detection.ts'
import { robustness } from './robustness.ts'

export interface AttackContext {
  readonly seed: string
  readonly kernels: Kernels
  readonly sheet: Sheet
  /** Few of everything: keeps the bench alive. */
  readonly tiny: boolean
  progress(message: string): void
}

export type AttackSection = (context: AttackContext) => Promise<void> | void

export const SECTIONS: Readonly<Record<string, AttackSection>> = {
  robustness,
  detection,
  inversion,
  membership,
  property,
  audit: audited,
}
