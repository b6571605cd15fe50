/** Files of policies for tests; nodes get theirs from a training. */

import { encodeFlat, modelMetadata } from '../model-files.ts'
import type { LoadedPolicy } from './policy-file.ts'

/** The file of a policy: canonical, so equal policies are equal bytes. */
export function encodePolicy(
  { policy, parameters }: Pick<LoadedPolicy, 'policy' | 'parameters'>,
  version: string,
): Uint8Array {
  return encodeFlat(policy.layout, modelMetadata(policy.spec, version), parameters)
}
