import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sharedPath } from '../../test/shared.ts'
import type { Results } from './results.ts'
import { SECTIONS } from './sections.ts'

let root: string

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'entente-bench-models-test-'))
})
afterAll(() => rm(root, { recursive: true, force: true }))

async function runTiny(only: string, model: string): Promise<Results> {
  const json = join(root, `${only.replaceAll(/[/,]/g, '-')}-${model}.json`)
  const script = fileURLToPath(new URL('run.ts', import.meta.url))
  const cache = join(root, 'cache')
  const options = ['--only', only, '--model', model, '--seeds', '1', '--tiny', '--cache', cache, '--json', json]
  const child = spawn(process.execPath, [script, ...options], { stdio: ['ignore', 'ignore', 'pipe'] })
  let errors = ''
  child.stderr.on('data', (chunk) => (errors += String(chunk)))
  const code = await new Promise((resolve) => child.on('exit', resolve))
  expect(code, errors).toBe(0)
  return JSON.parse(await readFile(json, 'utf8')) as Results
}

const FOLDERS: Readonly<Record<string, string>> = { 'nsl-kdd': 'data/nsl-kdd', links: 'data/temporal-graph' }
const missing = (section: string): boolean =>
  FOLDERS[section] !== undefined && sharedPath(FOLDERS[section]) === undefined

/** Parts that only the temporal graph network has. */
const NETWORK_ONLY = ['surprise']

describe('the bench of the models, tiny', () => {
  for (const section of Object.keys(SECTIONS))
    it.skipIf(missing(section))(`runs every part of ${section} (nsl-kdd and links read shared data)`, async () => {
      const { runs, cells } = await runTiny(section, 'mlp')
      const parts = Object.keys(SECTIONS[section] ?? {}).filter((part) => !NETWORK_ONLY.includes(part))
      expect(runs.map(({ part }) => part)).toEqual(parts)
      expect(cells.some(({ value }) => value !== null)).toBe(true)
    })

  it('runs the temporal graph network in the situations of DARPA', async () => {
    const { cells } = await runTiny('darpa/labels,darpa/surprise', 'tgnn')
    const labelled = cells.filter(({ table, value }) => table === 'DARPA, all labels (tgnn)' && value !== null)
    const arms = ['silo', 'federated', 'fine-tuned', 'personalised', 'centralised']
    expect(new Set(labelled.map(({ row }) => row))).toEqual(new Set(arms))
  })
})
