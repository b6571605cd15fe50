import { randomBytes } from 'node:crypto'
import type { Random } from './ports.ts'

/** The random generator of the operating system, through OpenSSL. */
export const systemRandom: Random = { bytes: (length) => new Uint8Array(randomBytes(length)) }
