/** The files of this project: what git tracks, and what it would track if it were added. */

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** Paths relative to `root`, sorted. Works in a clone owned by another user, too. */
export function trackedFiles(root: string): string[] {
  const parameters = [
    '-c',
    `safe.directory=${root.replace(/\/$/, '')}`,
    'ls-files',
    '-z',
    '--cached',
    '--others',
    '--exclude-standard',
  ]
  const { status, stdout, stderr } = spawnSync('git', parameters, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 26 })
  if (status !== 0) throw new Error(`git ls-files: ${stderr}`)
  return [...new Set(stdout.split('\0'))].filter((path) => path !== '' && existsSync(join(root, path))).sort()
}
