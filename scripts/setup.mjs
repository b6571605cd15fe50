#!/usr/bin/env node
/**
 * Makes a clone ready to run; does nothing, quickly, when it is ready. Called before every npm script, so it is plain
 * JavaScript that the oldest Node in use here (20) runs, and it needs nothing that is not installed yet.
 */

import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { compileCacheIsMissing, fillCompileCache } from './setup/compile-cache.mjs'
import { staleDependencies, installDependencies } from './setup/dependencies.mjs'
import { buildKernels, kernelsAreStale } from './setup/kernels.mjs'
import { withLock } from './setup/lock.mjs'
import { pendingSymlinks, hydrateSymlinks } from './setup/postgres.mjs'
import { pinnedNodeProblem } from './setup/runtime.mjs'

/** @param {string} root */
function isReady(root) {
  return (
    staleDependencies(root) === undefined &&
    pendingSymlinks(root).length === 0 &&
    !kernelsAreStale(root) &&
    !compileCacheIsMissing(root)
  )
}

/** @param {string} root */
async function setUp(root) {
  const reason = staleDependencies(root)
  if (reason !== undefined) await installDependencies(root, reason)
  hydrateSymlinks(root)
  const problem = pinnedNodeProblem(root)
  if (problem !== undefined) throw new Error(problem)
  if (kernelsAreStale(root)) {
    console.log('setup: compiling the kernels')
    await buildKernels(root)
  }
  if (compileCacheIsMissing(root)) await fillCompileCache(root)
}

const root = dirname(dirname(fileURLToPath(import.meta.url)))
try {
  if (!isReady(root)) await withLock(root, () => setUp(root))
} catch (error) {
  console.error(`setup: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
}
