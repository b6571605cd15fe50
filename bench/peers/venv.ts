/** `node bench/peers/venv.ts [--remove]`: Flower and ByzFL. PyTorch comes with ByzFL, on Linux with CUDA: 6 GB on disk. */

import { execFileSync } from 'node:child_process'
import { installVenv, type PythonVenv, removeVenv } from '../python-venv.ts'

export const PEERS_VENV: PythonVenv = {
  name: 'peers-python',
  requirements: new URL('requirements.txt', import.meta.url),
  imports: ['flwr', 'byzfl'],
}

const NAMED = ['flwr', 'byzfl', 'numpy', 'torch', 'cryptography', 'pycryptodome']

export function peerVersions(python: string): Record<string, string> {
  const program = `import importlib.metadata as m, json, platform
print(json.dumps({"Python": platform.python_version(), **{n: m.version(n) for n in ${JSON.stringify(NAMED)}}}))`
  return JSON.parse(execFileSync(python, ['-c', program], { encoding: 'utf8' })) as Record<string, string>
}

if (import.meta.main) {
  if (process.argv.includes('--remove')) removeVenv(PEERS_VENV)
  else console.log(installVenv(PEERS_VENV))
}
