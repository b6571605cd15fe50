/** Are the compiled kernels those of the sources, and if not, compile them. */

import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { run } from './process.mjs'

const SOURCES = 'src/models/kernels/assembly'
const OUTPUT = 'src/models/kernels/kernels.wasm'
/** The same kernels for a memory that threads share: a module says which kind of memory it takes. */
const SHARED = 'src/models/kernels/kernels-shared.wasm'
const STAMP = 'node_modules/.cache/entente/kernels.sha256'

/** The kernels allocate nothing (stub). No relaxed SIMD: it rounds differently from one processor to the next. */
const FLAGS = ['-O3', '--noAssert', '--runtime', 'stub', '--importMemory', '--initialMemory', '1', '--enable', 'simd']
const SHARED_FLAGS = ['--enable', 'threads', '--sharedMemory', '--maximumMemory', '65536']

/** @param {string} root @returns {string[]} */
function sourceFiles(root) {
  const names = readdirSync(join(root, SOURCES), { recursive: true, encoding: 'utf8' })
  return names.filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts') && !name.endsWith('.d.ts')).sort()
}

/** Digest of whatever the output depends on, and of the output. @param {string} root */
function stamp(root) {
  const hash = createHash('sha256').update(JSON.stringify([FLAGS, SHARED_FLAGS]))
  hash.update(readFileSync(join(root, 'node_modules/assemblyscript/package.json')))
  for (const name of sourceFiles(root)) hash.update(`\0${name}\0`).update(readFileSync(join(root, SOURCES, name)))
  for (const output of [OUTPUT, SHARED]) hash.update('\0').update(readFileSync(join(root, output)))
  return hash.digest('hex')
}

/** @param {string} root */
export function kernelsAreStale(root) {
  if (!existsSync(join(root, SOURCES, 'index.ts'))) return false
  if (![OUTPUT, SHARED, STAMP].every((path) => existsSync(join(root, path)))) return true
  return readFileSync(join(root, STAMP), 'utf8') !== stamp(root)
}

/** @param {string} root */
export async function buildKernels(root) {
  await Promise.all([compile(root, OUTPUT, []), compile(root, SHARED, SHARED_FLAGS)])
  mkdirSync(dirname(join(root, STAMP)), { recursive: true })
  writeFileSync(join(root, STAMP), stamp(root))
}

/**
 * Compiles beside the old file and renames, so that a running program never reads half a module.
 * @param {string} root @param {string} output @param {readonly string[]} flags
 */
async function compile(root, output, flags) {
  const temporary = `${output}.${process.pid}.tmp.wasm`
  const compiler = join(root, 'node_modules', 'assemblyscript', 'bin', 'asc.js')
  const parameters = [compiler, `${SOURCES}/index.ts`, ...FLAGS, ...flags, '--outFile', temporary]
  await run(process.execPath, parameters, { cwd: root })
  renameSync(join(root, temporary), join(root, output))
}
