/** Compiles the program once, so that no process of a first run has to load the compiler: it costs each 25 MB and 0.3 s. */

import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { NODE_FLAGS } from '../../bin/flags.mjs'
import { run } from './process.mjs'

const CACHE = 'node_modules/.cache/entente/compiled'
/** The program's commands, what they load late, and what its worker threads start from. */
const COMMANDS = 'apps/cli/commands'
const ENTRIES = [
  'apps/api/control-server.ts',
  'apps/api/hub-server.ts',
  'apps/api/serve.ts',
  'src/node/start/join-federation.ts',
  'src/node/evaluate-worker.ts',
  'src/node/homomorphic/ceremony.ts',
  'src/node/homomorphic/hybrid-worker.ts',
  'src/node/homomorphic/paillier-worker.ts',
  'src/node/trainer-worker.ts',
]

/** @param {string} root */
export function compileCacheIsMissing(root) {
  return existsSync(join(root, 'apps/main.ts')) && !existsSync(join(root, CACHE))
}

/** @param {string} root */
export async function fillCompileCache(root) {
  const commands = readdirSync(join(root, COMMANDS)).filter(
    (name) => name.endsWith('.ts') && !name.endsWith('.test.ts'),
  )
  const entries = [...commands.map((name) => `${COMMANDS}/${name}`), ...ENTRIES]
  const imports = entries.map((entry) => `await import(${JSON.stringify(pathToFileURL(join(root, entry)).href)})`)
  const pinned = join(root, 'node_modules/.bin/node')
  const node = existsSync(pinned) ? pinned : process.execPath
  const env = { ...process.env, NODE_COMPILE_CACHE: join(root, CACHE) }
  await run(node, [...NODE_FLAGS, '--input-type=module', '--eval', `${imports.join(';')};process.exit()`], {
    cwd: root,
    env,
  })
  await run(node, [...NODE_FLAGS, 'apps/main.ts', '--version'], { cwd: root, env })
}
