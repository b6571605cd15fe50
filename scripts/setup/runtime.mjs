/** The Node that everything but the set-up runs on. */

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

export const NODE_MAJOR_MIN = 24

/** @param {string} version as `v24.21.0` */
export function isSupported(version) {
  const major = Number(/^v(\d+)\./.exec(version.trim())?.[1])
  return major >= NODE_MAJOR_MIN
}

/**
 * Why npm scripts would not run on a supported Node; undefined when they would. On Linux the dependencies bring it; on
 * other systems the user's own must do, since npm scripts find it when there is none in `.bin`.
 * @param {string} root
 * @returns {string | undefined}
 */
export function pinnedNodeProblem(root) {
  const pinned = join(root, 'node_modules', '.bin', 'node')
  if (!existsSync(pinned)) {
    if (isSupported(process.version)) return undefined
    return `Node ${NODE_MAJOR_MIN} or newer is needed, and there is no packaged one for ${process.platform}-${process.arch}: install it (this is ${process.version})`
  }
  const { stdout, error, status } = spawnSync(pinned, ['--version'], { encoding: 'utf8' })
  if (status !== 0) return `the packaged Node does not run on this machine: ${error?.message ?? `exit code ${status}`}`
  return isSupported(stdout) ? undefined : `the packaged Node is ${stdout.trim()}, older than ${NODE_MAJOR_MIN}`
}
