/** What went wrong in the database, in the closed codes of base/errors.ts. */

import { EntenteError, type ErrorCode } from '../../base/errors.ts'

interface DriverError {
  readonly code?: string
  readonly message?: string
}

/** SQLSTATE classes and codes (PostgreSQL manual, appendix A) and errno names that mean: not at present. */
const UNAVAILABLE =
  /^(08...|57P0[1-5]|53[034]00|25P03|55006|40001|40P01|55P03|57014|E(CONN(REFUSED|RESET|ABORTED)|PIPE|TIMEDOUT|HOSTUNREACH|NETUNREACH|AI_AGAIN|NOTFOUND))$/
/** Errors of the driver `pg` that carry no code. */
const UNAVAILABLE_TEXT =
  /connection terminated|connection timeout|timeout exceeded|client was closed|not queryable|connection ended|pool is closed|cannot use a pool/i
const FULL_TEXT = /no space left on device|disk quota exceeded|file too large/i
/** Wrong password, no such role or database: only a person can repair these. */
const MISCONFIGURED = /^(28...|3D000|42501)$/

/** Wraps an error of `pg`; one of our own passes unchanged. */
export function databaseError(error: unknown): EntenteError {
  if (error instanceof EntenteError) return error
  const { code: sqlState = '', message = String(error) } = error as DriverError
  return new EntenteError(meaning(sqlState, message), `database: ${message}`, {
    cause: error,
    details: sqlState === '' ? {} : { sqlState },
  })
}

function meaning(sqlState: string, message: string): ErrorCode {
  if (sqlState === '53100' || FULL_TEXT.test(message)) return 'storage-full'
  if (UNAVAILABLE.test(sqlState) || UNAVAILABLE_TEXT.test(message)) return 'unavailable'
  if (MISCONFIGURED.test(sqlState)) return 'config-invalid'
  return sqlState === '22021' ? 'invalid-request' : 'internal'
}

/** Serialisation failure or deadlock: the transaction was rolled back for certain, and may run again. */
export function isConflict(error: unknown): boolean {
  const cause = error instanceof EntenteError ? error.cause : error
  const code = (cause as DriverError | undefined)?.code
  return code === '40001' || code === '40P01'
}
