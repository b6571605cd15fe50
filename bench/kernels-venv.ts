/**
 * `node bench/kernels-venv.ts [--remove]`: a Python environment with pinned NumPy and PyTorch for the bench of the kernels,
 * in node_modules/.cache. pip takes the package index that PIP_INDEX_URL names, or its own default. PyTorch for Linux on
 * x86 brings CUDA along: 5 GB on disk; an index with builds for the CPU alone needs a tenth of it.
 */

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { VENV } from './kernels-python.ts'

const REQUIREMENTS = fileURLToPath(new URL('kernels-requirements.txt', import.meta.url))
const python = `${VENV}/bin/python`

function run(command: string, ...parameters: string[]): boolean {
  return spawnSync(command, parameters, { stdio: 'inherit' }).status === 0
}

/** False with a message when it is impossible. */
function install(): boolean {
  mkdirSync(dirname(VENV), { recursive: true })
  if (!existsSync(python) && !run('python3', '-m', 'venv', VENV))
    return refuse('python3 cannot make a virtual environment: install Python 3.11 or later with its venv module')
  if (!run(python, '-m', 'pip', 'install', '--quiet', '--requirement', REQUIREMENTS))
    return refuse('pip could not install NumPy and PyTorch: name a reachable package index in PIP_INDEX_URL')
  if (!run(python, '-c', 'import numpy, torch; print("NumPy", numpy.__version__, "PyTorch", torch.__version__)'))
    return refuse('PyTorch is installed, but does not start on this machine')
  return true
}

function refuse(why: string): false {
  console.error(`${why}.\nThe bench runs without: figures of PyTorch are then "not measured".`)
  rmSync(VENV, { recursive: true, force: true })
  return false
}

if (process.argv.includes('--remove')) rmSync(VENV, { recursive: true, force: true })
else if (!install()) process.exitCode = 1
