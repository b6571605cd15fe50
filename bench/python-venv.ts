/**
 * Python environments with pinned packages that benches make for themselves, in node_modules/.cache/entente. pip takes what
 * PIP_INDEX_URL and PIP_FIND_LINKS name, or its own default.
 */

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface PythonVenv {
  /** Of its folder. */
  readonly name: string
  /** File that pins the packages. */
  readonly requirements: URL
  /** Modules that must import afterwards. */
  readonly imports: readonly string[]
}

const folderOf = ({ name }: PythonVenv): string =>
  fileURLToPath(new URL(`../node_modules/.cache/entente/${name}`, import.meta.url))

export const pythonOf = (venv: PythonVenv): string => `${folderOf(venv)}/bin/python`

/** The interpreter, or why there is none. What was installed from the same file is taken as it is. */
export type Installed = { readonly python: string } | { readonly why: string }

export function installVenv(venv: PythonVenv): Installed {
  const python = pythonOf(venv)
  const stamp = `${folderOf(venv)}/requirements.sha256`
  const wanted = createHash('sha256').update(readFileSync(venv.requirements)).digest('hex')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return { python }
  mkdirSync(dirname(folderOf(venv)), { recursive: true })
  if (!existsSync(python) && !run('python3', '-m', 'venv', folderOf(venv)))
    return refuse(venv, 'python3 cannot make a virtual environment: install Python 3.11 or later with its venv module')
  if (!run(python, '-m', 'pip', 'install', '--quiet', '--requirement', fileURLToPath(venv.requirements)))
    return refuse(venv, 'pip could not install the packages: name a reachable package index in PIP_INDEX_URL')
  if (!run(python, '-c', `import ${venv.imports.join(', ')}`))
    return refuse(venv, `what was installed does not start on this machine: ${venv.imports.join(', ')}`)
  writeFileSync(stamp, wanted)
  return { python }
}

export function removeVenv(venv: PythonVenv): void {
  rmSync(folderOf(venv), { recursive: true, force: true })
}

function refuse(venv: PythonVenv, why: string): Installed {
  removeVenv(venv)
  return { why }
}

/** Output goes to where errors go: a bench may be writing JSON. */
function run(command: string, ...parameters: string[]): boolean {
  return spawnSync(command, parameters, { stdio: ['ignore', 2, 2] }).status === 0
}
