/** A full disk as a code of its own: whoever reads it knows that trying again later helps. */

import { EntenteError } from '../../base/errors.ts'

/** @throws storage-full for a full disk or an exhausted quota; anything else as it is */
export function diskError(cause: unknown): never {
  const code = (cause as { code?: unknown } | null)?.code
  if (code === 'ENOSPC' || code === 'EDQUOT')
    throw new EntenteError('storage-full', 'the disk is full; what was there before is unchanged', { cause })
  throw cause
}
