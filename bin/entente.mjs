#!/usr/bin/env node
// Starts the program on the pinned Node, whatever Node runs this line.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const pinned = fileURLToPath(new URL('../node_modules/.bin/node', import.meta.url))
const main = fileURLToPath(new URL('../apps/main.ts', import.meta.url))
const runtime = existsSync(pinned) ? pinned : process.execPath
// Without the cache every process and every worker thread loads the compiler that strips the types: 25 MB each.
const cache = fileURLToPath(new URL('../node_modules/.cache/entente/compiled', import.meta.url))
const flags = ['--disable-warning=ExperimentalWarning', ...memoryFlags(process.argv[2])]
const child = spawn(runtime, [...flags, main, ...process.argv.slice(2)], {
  stdio: 'inherit',
  env: { NODE_COMPILE_CACHE: cache, ...process.env },
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
  process.on(signal, () => child.kill(/** @type {NodeJS.Signals} */ (signal)))
child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 143)))

/**
 * A node is mostly idle, and what it trains on lies outside the V8 heap: at its default of 16 MB a semi-space the young
 * generation would cost it some 40 MB. Commands that work through logs keep the default, since it makes them faster.
 * @param {string | undefined} command
 */
function memoryFlags(command = '') {
  return ['hub', 'org', 'demo'].includes(command) ? ['--max-semi-space-size=4', '--optimize-for-size'] : []
}
