#!/usr/bin/env node
/** Compiles the kernels if the sources, the flags or the compiler changed; with `--force`, in any case. */

import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildKernels, kernelsAreStale } from './setup/kernels.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
if (process.argv.includes('--force') || kernelsAreStale(root)) {
  await buildKernels(root)
  console.log('kernels built')
}
