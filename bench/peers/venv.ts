/** `node bench/peers/venv.ts [--remove]`: Flower and ByzFL. PyTorch comes with ByzFL, on Linux with CUDA: 6 GB on disk. */

import { installVenv, type PythonVenv, removeVenv } from '../python-venv.ts'

export const PEERS_VENV: PythonVenv = {
  name: 'peers-python',
  requirements: new URL('requirements.txt', import.meta.url),
  imports: ['flwr', 'byzfl'],
}

if (import.meta.main) {
  if (process.argv.includes('--remove')) removeVenv(PEERS_VENV)
  else console.log(installVenv(PEERS_VENV))
}
