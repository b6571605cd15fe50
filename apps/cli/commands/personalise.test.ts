import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createModel } from '../../../src/models/model.ts'
import { DEFAULT_MLP } from '../../../src/node/default-model.ts'
import { loadKernels } from '../../../src/node/kernels.ts'
import { encodeFlat, modelMetadata } from '../../../src/node/model-files.ts'
import { generateTraffic } from '../../../src/telemetry/generator.ts'

const program = fileURLToPath(new URL('../../../bin/entente.mjs', import.meta.url))

let room: string
const place = (name: string, content: string | Uint8Array): void => writeFileSync(join(room, name), content)
beforeAll(() => {
  room = mkdtempSync(join(tmpdir(), 'entente-personalise-cli-'))
  const [site] = generateTraffic({ seed: 'own', sites: 1, days: 3, interactionsPerSite: 2000 })
  place('conn.log', `${[...(site?.lines() ?? [])].join('\n')}\n`)
  const mlp = createModel(DEFAULT_MLP, loadKernels())
  place('model.safetensors', encodeFlat(mlp.layout, modelMetadata(DEFAULT_MLP, 'v1'), mlp.initialise('cli')))
  mkdirSync(join(room, 'bank-a'))
  const config = {
    role: 'organisation',
    federation: 'finance.example',
    organisation: 'bank-a',
    hub: { urls: ['https://127.0.0.1:1'] },
    data: { paths: [join(room, 'conn.log')], localNetworks: site?.localNetworks ?? [], labels: 'all' },
  }
  place('bank-a/entente.yaml', JSON.stringify(config))
})
afterAll(() => rmSync(room, { recursive: true, force: true }))

async function entente(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'], cwd: room })
  const said = { stdout: '', stderr: '' }
  child.stdout.on('data', (text: Buffer) => (said.stdout += text.toString()))
  child.stderr.on('data', (text: Buffer) => (said.stderr += text.toString()))
  const [code] = (await once(child, 'close')) as [number]
  return { code, ...said }
}

describe('entente model personalise', () => {
  it('makes an own model without a node that runs, which detect takes beside the shared one', async () => {
    const made = await entente('model', 'personalise', '--dir', 'bank-a', '--model', 'model.safetensors', '--json')
    expect([made.stderr, made.code]).toEqual(['', 0])
    expect(JSON.parse(made.stdout)).toMatchObject({ file: 'own.safetensors', rows: expect.any(Number) })
    const beside = ['detect', '--model', 'model.safetensors', '--own', 'own.safetensors', '--input', 'conn.log']
    const calibrated = await entente(...beside, '--calibrate', 'conn.log', '--false-positives-per-day', '5')
    expect(calibrated.code).toBe(0)
    expect(existsSync(join(room, 'own.safetensors.threshold.json'))).toBe(true)
    const again = await entente(...beside)
    expect([again.code, again.stdout]).toEqual([0, calibrated.stdout])
    const alone = await entente('detect', '--model', 'model.safetensors', '--input', 'conn.log')
    expect([alone.code, alone.stdout]).toEqual([2, ''])
  })

  it('is refused in the directory of a hub', async () => {
    mkdirSync(join(room, 'hub'))
    place('hub/entente.yaml', JSON.stringify({ role: 'hub', federation: 'finance.example' }))
    const { code, stderr } = await entente('model', 'personalise', '--dir', 'hub', '--model', 'model.safetensors')
    expect(code).toBe(2)
    expect(stderr).toContain('directory of a hub')
  })
})
