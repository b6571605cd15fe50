/** Is node_modules what package-lock.json says, and if not, make it so. */

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from './process.mjs'

/**
 * @typedef {{ version?: string, optional?: boolean, optionalDependencies?: Record<string, string>, devOptional?: boolean, peer?: boolean, link?: boolean, os?: string | string[], cpu?: string | string[], libc?: string | string[] }} LockedPackage
 * @typedef {Record<string, LockedPackage>} LockedPackages
 */

/** npm's rule for `os` and `cpu`. @param {string | string[] | undefined} rule @param {string} actual */
function allows(rule, actual) {
  if (rule === undefined) return true
  const allowed = [rule].flat()
  if (allowed.includes(`!${actual}`)) return false
  return allowed.includes(actual) || allowed.every((name) => name.startsWith('!'))
}

/**
 * Where the tree on disk and the lock file differ, in words; undefined when they agree. npm writes the list of what is
 * on disk (`node_modules/.package-lock.json`) last, so an interrupted installation has none.
 * @param {LockedPackages} locked packages of package-lock.json
 * @param {LockedPackages} installed packages of node_modules/.package-lock.json
 * @param {{ platform: string, arch: string }} machine
 * @returns {string | undefined}
 */
export function firstDifference(locked, installed, machine) {
  for (const [path, { version }] of Object.entries(installed))
    if (locked[path]?.version !== version)
      return `${path} is ${version ?? 'of no version'}, not ${locked[path]?.version ?? 'wanted'}`
  for (const [path, entry] of Object.entries(locked)) {
    if (path === '' || path in installed) continue
    const optional = entry.optional === true || entry.devOptional === true || entry.peer === true
    const exact =
      entry.os !== undefined &&
      allows(entry.os, machine.platform) &&
      allows(entry.cpu, machine.arch) &&
      entry.libc === undefined
    if (!optional || exact) return `${path} is missing`
  }
  return undefined
}

/**
 * Why node_modules has to be installed; undefined when it need not.
 * @param {string} root
 * @param {{ platform: string, arch: string }} machine
 * @returns {string | undefined}
 */
export function staleDependencies(root, machine = { platform: process.platform, arch: process.arch }) {
  const installed = join(root, 'node_modules', '.package-lock.json')
  if (!existsSync(installed)) return 'they are not here yet'
  return firstDifference(packagesOf(join(root, 'package-lock.json')), packagesOf(installed), machine)
}

/** @param {string} path @returns {LockedPackages} */
function packagesOf(path) {
  return JSON.parse(readFileSync(path, 'utf8')).packages ?? {}
}

/**
 * Exactly the lock file's packages, without running any of their install scripts: nothing that we depend on needs one
 * (postgres.mjs does what the one that matters would do), and a compromised package would run as whoever types `npm test`.
 * @param {string} root @param {string} reason
 */
export async function installDependencies(root, reason) {
  console.log(`setup: installing the dependencies (${reason}); about 20 s the first time`)
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
  await run(npm, ['ci', '--ignore-scripts', '--loglevel=error', '--no-progress', '--no-audit', '--no-fund'], {
    cwd: root,
    env: outerEnvironment(root),
  })
}

/**
 * The environment without the clone's own `.bin`: npm must not run on the Node that it is about to delete.
 * @param {string} root
 */
function outerEnvironment(root) {
  const separator = process.platform === 'win32' ? ';' : ':'
  const outer = (process.env['PATH'] ?? '')
    .split(separator)
    .filter((directory) => !directory.startsWith(join(root, 'node_modules')))
  return { ...process.env, PATH: outer.join(separator) }
}
