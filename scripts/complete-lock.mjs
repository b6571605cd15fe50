#!/usr/bin/env node
/**
 * Adds to package-lock.json the optional platform packages that the registry in use did not have when the lock file was
 * written. npm leaves them out silently, and then `npm ci` refuses the file as out of step. Run it after `npm install`.
 * The added entries carry no integrity: none was seen. They are for platforms that this project is not tested on.
 */

import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** @typedef {import('./setup/dependencies.mjs').LockedPackages} LockedPackages */

const OS = ['android', 'darwin', 'freebsd', 'linux', 'openharmony', 'win32']
const CPU = ['arm64', 'arm', 'ia32', 'ppc64', 'riscv64', 's390x', 'x64']

/**
 * Optional dependencies without an entry of their own, as `name` -> exact version.
 * @param {LockedPackages} packages
 * @returns {Map<string, string>}
 */
export function missingOptional(packages) {
  /** @type {Map<string, string>} */
  const missing = new Map()
  const named = new Set(
    Object.keys(packages).map((path) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)),
  )
  for (const { optionalDependencies = {} } of Object.values(packages))
    for (const [name, version] of Object.entries(optionalDependencies)) if (!named.has(name)) missing.set(name, version)
  return missing
}

/** The entry of a platform package, read off its name (`@oxlint/binding-linux-x64-musl`). @param {string} name @param {string} version */
export function platformEntry(name, version) {
  const words = name.split(/[/-]/)
  const os = OS.find((candidate) => words.includes(candidate))
  const cpu = CPU.find((candidate) => words.includes(candidate))
  if (os === undefined || cpu === undefined || !/^\d/.test(version))
    throw new Error(`${name}@${version} is not a platform package of an exact version`)
  const libc = words.includes('musl') ? ['musl'] : words.includes('gnu') ? ['glibc'] : undefined
  return { version, cpu: [cpu], dev: true, ...(libc && { libc }), optional: true, os: [os] }
}

/** @param {string} path */
function complete(path) {
  const lock = JSON.parse(readFileSync(path, 'utf8'))
  const added = [...missingOptional(lock.packages)].map(([name, version]) => [
    `node_modules/${name}`,
    platformEntry(name, version),
  ])
  const entries = [...Object.entries(lock.packages), ...added].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  writeFileSync(path, `${JSON.stringify({ ...lock, packages: Object.fromEntries(entries) }, null, 2)}\n`)
  console.log(`package-lock.json: ${added.length} platform packages added`)
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  complete(join(dirname(dirname(fileURLToPath(import.meta.url))), 'package-lock.json'))
