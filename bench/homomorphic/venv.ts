/** `node bench/homomorphic/venv.ts [--remove]`: python-paillier (with gmpy2) and TenSEAL. */

import { installVenv, type PythonVenv, removeVenv } from '../python-venv.ts'

export const HOMOMORPHIC_VENV: PythonVenv = {
  name: 'homomorphic-python',
  requirements: new URL('requirements.txt', import.meta.url),
  imports: ['phe', 'gmpy2', 'tenseal'],
}

if (import.meta.main) {
  if (process.argv.includes('--remove')) removeVenv(HOMOMORPHIC_VENV)
  else console.log(installVenv(HOMOMORPHIC_VENV))
}
