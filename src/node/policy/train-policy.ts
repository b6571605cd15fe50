/** Local work on a policy, in the trainer's thread. */

import { fail } from '../../base/errors.ts'
import type { Kernels } from '../../models/kernels/kernels.ts'
import { localWork } from '../../models/policy/local-work.ts'
import { createPolicy } from '../../models/policy/policy.ts'
import type { PolicySpec } from '../../models/policy/spec.ts'
import type { LabelledSummary, TrainRequest } from '../training.ts'
import { openEnvironments } from './environments.ts'
import type { ResponseConfig } from './response-config.ts'

/**
 * Plays and learns from the request's parameters in the organisation's own environment. The same request and
 * configuration give the same bytes. @throws no-data without an environment; wrong-shape, config-invalid, not-finite
 */
export async function trainPolicyLocally(
  spec: PolicySpec,
  request: TrainRequest,
  config: ResponseConfig | undefined,
  kernels: Kernels,
): Promise<{ parameters: Float32Array; summary: LabelledSummary }> {
  if (config === undefined) fail('no-data', 'entente.yaml names no network to train a response policy on: see response')
  const environments = await openEnvironments(config)
  const options = localWork(request, config.steps)
  const { parameters, loss, reward, steps } = createPolicy(spec, kernels).train(
    request.parameters,
    environments,
    options,
  )
  return { parameters, summary: { sampleCount: steps, positives: 0, loss, reward } }
}
