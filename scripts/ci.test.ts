import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const CI = fileURLToPath(new URL('../.ci/run', import.meta.url))

/** Runs .ci/run with an npm that says and does what the test wants. */
function runCi(npm: string, environment: Record<string, string> = {}): { code: number | null; lines: string[] } {
  const directory = mkdtempSync(join(tmpdir(), 'ci-'))
  writeFileSync(join(directory, 'npm'), `#!/bin/bash\ncase "$*" in\n${npm}\nesac\n`)
  chmodSync(join(directory, 'npm'), 0o755)
  const env = { ...process.env, ...environment, PATH: `${directory}${delimiter}${process.env['PATH']}` }
  try {
    const { status, stdout } = spawnSync(CI, { env, encoding: 'utf8' })
    return { code: status, lines: stdout.trimEnd().split('\n') }
  } finally {
    rmSync(directory, { recursive: true })
  }
}

const SUITE = String.raw`test) printf '\033[2m Test Files \033[22m \033[32m2 passed\033[39m (2)\n      Tests  20 passed | 3 skipped (23)\n';;
  'run test:slow') printf ' Test Files  1 passed (1)\n      Tests  5 passed (5)\n';;`

describe('.ci/run', () => {
  it('runs all three steps and ends with the totals of both suites', () => {
    const { code, lines } = runCi(`${SUITE}\n*) echo demo;;`)
    expect(code).toBe(0)
    expect(lines.filter((line) => line.endsWith(' s') && line.startsWith('==='))).toHaveLength(3)
    expect(lines.slice(-2)).toEqual([' Test Files  3 passed (3)', '      Tests  25 passed | 3 skipped (28)'])
  })

  it.each(['test', 'run demo', 'run test:slow'])('fails, and still does the rest, when npm %s fails', (step) => {
    const { code, lines } = runCi(`"${step}") exit 3;;\n${SUITE}\n*) echo demo;;`)
    expect(code).toBe(1)
    expect(lines).toContain(`     Failed  npm ${step}`)
    expect(lines.filter((line) => line.startsWith('=== npm') && line.endsWith(' s'))).toHaveLength(3)
  })

  it('does not start what it could not finish, and stops what takes too long', () => {
    const late = runCi(`${SUITE}\n*) echo demo;;`, { ENTENTE_CI_SLOW_START_S_MAX: '0' })
    expect(late.code).toBe(0)
    expect(late.lines).toContain('    Skipped  npm run test:slow')
    const long = runCi(`'run demo') sleep 30;;\n${SUITE}`, {
      ENTENTE_CI_TOTAL_S_MAX: '1',
      ENTENTE_CI_SLOW_START_S_MAX: '0',
    })
    expect(long.code).toBe(1)
    expect(long.lines).toContain('stopped: the hour is over')
  })
})
