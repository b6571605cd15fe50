/**
 * The closed list of what can go wrong across a border, after jose's `util/errors.ts`: a code that programs match on,
 * a message that a person can act on, and whether the same call may succeed later.
 */

interface Meaning {
  /** HTTP status when the error crosses the API. */
  readonly status: number
  /** True when the very same call may succeed later. */
  readonly retryable: boolean
  readonly meaning: string
}

export const ERRORS = {
  'invalid-request': { status: 400, retryable: false, meaning: 'the request does not have the documented form' },
  'malformed-json': { status: 400, retryable: false, meaning: 'the body is not JSON' },
  'body-too-large': { status: 413, retryable: false, meaning: 'the body exceeds the limit of this route' },
  'rate-limited': { status: 429, retryable: true, meaning: 'too many requests from this peer' },
  'not-available': { status: 501, retryable: false, meaning: 'this version does not offer the function' },
  'not-found': { status: 404, retryable: false, meaning: 'there is no such thing here' },
  'unauthenticated': { status: 401, retryable: false, meaning: 'no valid certificate, token or signature was shown' },
  'forbidden': { status: 403, retryable: false, meaning: 'the caller may not do this' },
  'invitation-invalid': { status: 403, retryable: false, meaning: 'the invitation is unknown, used or expired' },
  'organisation-exists': { status: 409, retryable: false, meaning: 'the name belongs to a registered organisation' },
  'unknown-organisation': { status: 403, retryable: false, meaning: 'the sender is not registered in this federation' },
  'organisation-removed': { status: 403, retryable: false, meaning: 'the sender has left or was removed' },
  'impersonation': { status: 403, retryable: false, meaning: 'the certificate and the claimed sender differ' },
  'signature-invalid': {
    status: 403,
    retryable: false,
    meaning: 'a signature does not verify under the registered key',
  },
  'envelope-expired': { status: 403, retryable: false, meaning: 'the envelope is outside its time of validity' },
  'envelope-replayed': { status: 409, retryable: false, meaning: 'an envelope with this id was accepted before' },
  'wrong-audience': { status: 403, retryable: false, meaning: 'the envelope names another recipient or federation' },
  'unknown-round': { status: 404, retryable: false, meaning: 'there is no such round' },
  'round-closed': { status: 409, retryable: false, meaning: 'the round no longer takes contributions' },
  'not-a-participant': { status: 403, retryable: false, meaning: 'the organisation was not selected for this round' },
  'already-submitted': { status: 409, retryable: false, meaning: 'the organisation has a contribution in this round' },
  'wrong-base-model': {
    status: 422,
    retryable: false,
    meaning: 'the update was not trained from the model of this round',
  },
  'wrong-shape': { status: 422, retryable: false, meaning: 'tensor names, shapes or types differ from the model' },
  'not-finite': { status: 422, retryable: false, meaning: 'a value is NaN or infinite' },
  'sample-count-invalid': {
    status: 422,
    retryable: false,
    meaning: 'a sample count is not an integer in the range of the policy',
  },
  'nothing-to-aggregate': { status: 422, retryable: false, meaning: 'the total weight of the round is zero' },
  'blob-missing': { status: 422, retryable: true, meaning: 'a referenced blob has not been uploaded' },
  'blob-truncated': { status: 422, retryable: true, meaning: 'fewer bytes arrived than were announced' },
  'digest-mismatch': { status: 422, retryable: false, meaning: 'bytes and digest differ' },
  'offset-mismatch': { status: 409, retryable: true, meaning: 'the upload must go on at another offset' },
  'storage-full': { status: 507, retryable: true, meaning: 'the disk is full; nothing was changed' },
  'unavailable': { status: 503, retryable: true, meaning: 'a part that is needed does not answer at present' },
  'ledger-invalid': { status: 422, retryable: false, meaning: 'a block, checkpoint or export does not verify' },
  'ledger-conflict': { status: 409, retryable: false, meaning: 'two signed views of the ledger contradict each other' },
  'model-invalid': { status: 422, retryable: false, meaning: 'a model file is malformed' },
  'input-invalid': {
    status: 422,
    retryable: false,
    meaning: 'an input file is not in a format that this program reads',
  },
  'no-data': { status: 422, retryable: false, meaning: 'there are no labelled interactions to train on' },
  'budget-exceeded': { status: 409, retryable: false, meaning: 'the privacy budget does not allow it' },
  'config-invalid': { status: 400, retryable: false, meaning: 'the configuration file is not valid' },
  'already-exists': { status: 409, retryable: false, meaning: 'the thing to create is there already' },
  'internal': { status: 500, retryable: true, meaning: 'a defect of this program' },
} as const satisfies Record<string, Meaning>

export type ErrorCode = keyof typeof ERRORS

/** JSON-safe particulars of an error: offending field, limits, or proof of wrongdoing. Never secrets. */
export type ErrorDetails = Readonly<Record<string, unknown>>

export class EntenteError extends Error {
  override readonly name = 'EntenteError'
  readonly code: ErrorCode
  readonly details: ErrorDetails

  constructor(code: ErrorCode, message: string, options: { cause?: unknown; details?: ErrorDetails } = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined)
    this.code = code
    this.details = options.details ?? {}
  }

  get retryable(): boolean {
    return ERRORS[this.code].retryable
  }

  get status(): number {
    return ERRORS[this.code].status
  }
}

/** Throws an {@link EntenteError}. */
export function fail(code: ErrorCode, message: string, details?: ErrorDetails): never {
  throw new EntenteError(code, message, details === undefined ? {} : { details })
}

export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(ERRORS, value)
}
