/** What a person who named a place can mend, by a code that says so. */

import { EntenteError } from '../../base/errors.ts'
import { diskError } from '../ingest/disk-error.ts'

/** @throws storage-full for a full disk; config-invalid for a place that cannot be written; a known error as it is */
export function cannotWrite(path: string): (cause: unknown) => never {
  return (cause) => {
    const { code, message } = cause as NodeJS.ErrnoException
    // What the operating system did not refuse is a defect, and keeps its trace.
    if (cause instanceof EntenteError || code === undefined) throw cause
    if (code === 'ENOSPC' || code === 'EDQUOT') diskError(cause)
    throw new EntenteError('config-invalid', `${path} cannot be written: ${message}`, { cause })
  }
}
