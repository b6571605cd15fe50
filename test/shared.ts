/** Where published vectors and public data sets are read in place: beside the checkout, or where ENTENTE_SHARED says. */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const beside = fileURLToPath(new URL('../../shared', import.meta.url))

/**
 * Path of a shared file or folder; undefined on a machine that lacks it. Tests that read it say so in their names:
 * `it.skipIf(path === undefined)('... (reads shared vectors)', ...)`.
 */
export function sharedPath(relative: string): string | undefined {
  const path = join(process.env['ENTENTE_SHARED'] ?? beside, relative)
  return existsSync(path) ? path : undefined
}
