/** Reads an uploaded update once, before the round counts it: nothing else ever stands between a stranger and the mean. */

import { fail } from '../../base/errors.ts'
import type { ContributionBody } from '../../learning/messages.ts'
import type { OpenedRound } from '../../learning/round-state.ts'
import { validateUpdate } from '../../learning/validate-update.ts'
import { openBlobTensors } from '../tensors.ts'
import { type HubContext, UPDATE_BYTES_MAX } from './identity.ts'

type Gradient = ContributionBody['encrypted_gradient']

/** @throws blob-missing, blob-truncated, body-too-large, model-invalid, wrong-base-model, wrong-shape, not-finite */
export async function checkUpdate(
  { ports, options }: HubContext,
  round: OpenedRound,
  { blob }: Gradient,
): Promise<void> {
  const { blobs } = ports
  if (blob.size > (options.updateBytesMax ?? UPDATE_BYTES_MAX))
    fail('body-too-large', 'the update exceeds what this hub takes')
  const size = await blobs.size(blob.digest)
  if (size === undefined)
    fail('blob-missing', `the update ${blob.digest} has not been uploaded`, { digest: blob.digest })
  if (size !== blob.size) fail('blob-truncated', `the update has ${size} bytes, ${blob.size} were announced`, { size })
  const base = await openBlobTensors(blobs, round.baseModel)
  await base.close()
  const update = await blobs.open(blob.digest)
  try {
    await validateUpdate(update, { header: base.header, digest: round.baseModel }, options.kernels)
  } finally {
    await update.close()
  }
}
