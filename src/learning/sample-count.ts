/** The weight that an organisation claims for itself. */

import { fail } from '../base/errors.ts'

/** @throws sample-count-invalid unless it is an integer from 1 to the cap of the policy */
export function checkSampleCount(sampleCount: number, sampleCountMax: number): void {
  if (!Number.isSafeInteger(sampleCount) || sampleCount < 1 || sampleCount > sampleCountMax)
    fail('sample-count-invalid', `a sample count is an integer from 1 to ${sampleCountMax}`, {
      sampleCount,
      sampleCountMax,
    })
}
