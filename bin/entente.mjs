#!/usr/bin/env node
// Starts the program on the pinned Node, whatever Node runs this line.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { flagsOf } from './flags.mjs'

const pinned = fileURLToPath(new URL('../node_modules/.bin/node', import.meta.url))
const main = fileURLToPath(new URL('../apps/main.ts', import.meta.url))
const runtime = existsSync(pinned) ? pinned : process.execPath
// Without the cache every process and every worker thread loads the compiler that strips the types: 25 MB each.
const cache = fileURLToPath(new URL('../node_modules/.cache/entente/compiled', import.meta.url))
const child = spawn(runtime, [...flagsOf(process.argv[2]), main, ...process.argv.slice(2)], {
  stdio: 'inherit',
  env: { NODE_COMPILE_CACHE: cache, ...process.env },
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
  process.on(signal, () => child.kill(/** @type {NodeJS.Signals} */ (signal)))
child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 143)))
