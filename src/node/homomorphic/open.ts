/** Any scheme by its parameter file. */

import { availableParallelism } from 'node:os'
import { z } from 'zod'
import type { OrganisationId } from '../../base/ids.ts'
import { malformed } from '../../privacy/homomorphic/container.ts'
import { HYBRID_FORMAT, readHybridParameters } from '../../privacy/homomorphic/hybrid/parameters.ts'
import { checkShare } from '../../privacy/homomorphic/paillier/check-share.ts'
import { PARAMETERS_FORMAT, readParameters } from '../../privacy/homomorphic/paillier/parameters.ts'
import { CKKS_PARAMETERS_FORMAT, readCkksParameters, readCkksShare } from './ckks-parameters.ts'
import { openCkks } from './ckks.ts'
import { openHybrid } from './hybrid.ts'
import { type OpenScheme, openPaillier } from './paillier.ts'
import { opensslPower } from './power.ts'

const formatSchema = z.looseObject({ format: z.string() })

const formatOf = (parameters: unknown): string => formatSchema.safeParse(parameters).data?.format ?? ''

/** Threads for Paillier; CKKS needs none. */
export const defaultThreads = (): number => Math.min(4, availableParallelism())

/** @throws input-invalid for parameters of no known scheme and version */
export async function openScheme(parameters: unknown, threads = defaultThreads()): Promise<OpenScheme> {
  switch (formatOf(parameters)) {
    case PARAMETERS_FORMAT:
      return openPaillier(parameters, threads)
    case HYBRID_FORMAT:
      // A second thread would save a fraction of a second, and take some forty megabytes.
      return openHybrid(parameters, Math.min(1, threads))
    case CKKS_PARAMETERS_FORMAT:
      return { ...(await openCkks(parameters)), close: async () => undefined }
    default:
      return malformed('wrong-parameters', 'these are no public parameters of Paillier or CKKS of this version')
  }
}

/**
 * Whose share it is, after checking that it belongs to the parameters; for Paillier also that it is behind its
 * verification key. @throws input-invalid
 */
export function ownerOfShare(parameters: unknown, share: unknown): OrganisationId {
  const format = formatOf(parameters)
  if (format === PARAMETERS_FORMAT) return checkShare(readParameters(parameters), share, opensslPower).organisation
  if (format === HYBRID_FORMAT)
    return checkShare(readHybridParameters(parameters).inner, share, opensslPower).organisation
  const key = readCkksParameters(parameters)
  const { index, secretKey } = readCkksShare(share, key)
  secretKey.fill(0)
  return key.source.organisations[index - 1] ?? malformed('wrong-share', 'the share is of nobody')
}
