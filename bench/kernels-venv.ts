/**
 * `node bench/kernels-venv.ts [--remove]`: a Python environment with pinned NumPy and PyTorch for the bench of the kernels.
 * PyTorch for Linux on x86 brings CUDA along: 5 GB on disk; an index with builds for the CPU alone needs a tenth of it.
 */

import { installVenv, type PythonVenv, removeVenv } from './python-venv.ts'

export const KERNELS_VENV: PythonVenv = {
  name: 'bench-python',
  requirements: new URL('kernels-requirements.txt', import.meta.url),
  imports: ['numpy', 'torch'],
}

function install(): void {
  const installed = installVenv(KERNELS_VENV)
  if ('python' in installed) return console.log(`installed: ${installed.python}`)
  console.error(`${installed.why}.\nThe bench runs without: figures of PyTorch are then "not measured".`)
  process.exitCode = 1
}

if (import.meta.main) {
  if (process.argv.includes('--remove')) removeVenv(KERNELS_VENV)
  else install()
}
