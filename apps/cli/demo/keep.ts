/** The directory of `--keep`: a demo never writes into one that holds something. */

import { mkdir, readdir } from 'node:fs/promises'
import { resolve } from 'node:path'
import { fail } from '../../../src/base/errors.ts'

/** @throws already-exists unless the directory is new or empty */
export async function keptDirectory(path: string): Promise<string> {
  const directory = resolve(path)
  await mkdir(directory, { recursive: true })
  if ((await readdir(directory)).length > 0) fail('already-exists', `${path} is not empty; give --keep a new directory`)
  return directory
}
