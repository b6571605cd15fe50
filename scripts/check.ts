/** Types, lint, format and floors of the whole tree: what an editor would have said. Prints only what is wrong. */

import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

const TYPESCRIPT = 'node_modules/typescript-7/bin/tsc'
const BIOME = 'node_modules/@biomejs/biome/bin/biome'
const OXLINT = 'node_modules/oxlint/bin/oxlint'

/** Each check by name, as parameters of Node. */
export const CHECKS: Readonly<Record<string, readonly string[]>> = {
  types: [TYPESCRIPT, '-p', 'tsconfig.json'],
  'types of the pure rooms': [TYPESCRIPT, '-p', 'src/tsconfig.pure.json'],
  lint: [OXLINT, '--quiet'],
  format: [BIOME, 'format', '--max-diagnostics=20'],
  floors: ['scripts/floors.ts'],
}

export interface Finding {
  readonly passed: boolean
  readonly output: string
}

/** Runs one check of {@link CHECKS}. */
export function runCheck(name: string): Promise<Finding> {
  const parameters = CHECKS[name]
  if (parameters === undefined) throw new Error(`there is no check "${name}"`)
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...parameters], { cwd: ROOT })
    const output: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => output.push(chunk))
    child.on('error', reject)
    child.on('close', (code) => resolve({ passed: code === 0, output: Buffer.concat(output).toString('utf8') }))
  })
}

async function main(): Promise<void> {
  for (const name of Object.keys(CHECKS)) {
    const { passed, output } = await runCheck(name)
    console.log(`${passed ? 'ok  ' : 'FAIL'} ${name}`)
    if (passed) continue
    console.log(output)
    process.exitCode = 1
  }
}

if (import.meta.main) await main()
