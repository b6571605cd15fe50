/** NumPy as a yardstick, where python3 has it. */

import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const PROGRAM = fileURLToPath(new URL('numpy_mean.py', import.meta.url))

/** NumPy's version; undefined where python3 or NumPy is missing. */
export async function numpyVersion(): Promise<string | undefined> {
  try {
    const { stdout } = await run('python3', ['-c', 'import numpy; print(numpy.__version__)'])
    return stdout.trim()
  } catch {
    return undefined
  }
}

/** Milliseconds of the weighted mean of these files, without the start of Python. */
export async function numpyMean(paths: readonly string[]): Promise<number> {
  const { stdout } = await run('python3', [PROGRAM, ...paths], { maxBuffer: 1 << 20 })
  const { ms } = JSON.parse(stdout) as { ms: number }
  return ms
}
