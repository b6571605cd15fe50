import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { createModel } from '../../../src/models/model.ts'
import { DEFAULT_MLP } from '../../../src/node/default-model.ts'
import { loadKernels } from '../../../src/node/kernels.ts'
import { encodeFlat, modelMetadata } from '../../../src/node/model-files.ts'
import { createPolicy } from '../../../src/models/policy/policy.ts'
import { defaultPolicy } from '../../../src/node/policy/default-policy.ts'
import { encodePolicy } from '../../../src/node/policy/policy-file.suite.ts'
import { generateTraffic } from '../../../src/telemetry/generator.ts'
import type { DetectSummary } from '../detect-summary.ts'

const program = fileURLToPath(new URL('../../../bin/entente.mjs', import.meta.url))

let room: string
let model: string
let log: string
let lines: readonly string[]
beforeAll(() => {
  room = mkdtempSync(join(tmpdir(), 'entente-detect-cli-'))
  model = join(room, 'model.safetensors')
  log = join(room, 'conn.log')
  const mlp = createModel(DEFAULT_MLP, loadKernels())
  writeFileSync(model, encodeFlat(mlp.layout, modelMetadata(DEFAULT_MLP, 'v1'), mlp.initialise('cli')))
  lines = [...(generateTraffic({ seed: 'cli', sites: 1, days: 3, interactionsPerSite: 2000 })[0]?.lines() ?? [])]
  writeFileSync(log, `${lines.join('\n')}\n`)
})
afterAll(() => rmSync(room, { recursive: true, force: true }))

interface Said {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

function begin(...args: string[]): { child: ChildProcess; ended: Promise<Said> } {
  return beginIn(process.env, ...args)
}

function beginIn(env: NodeJS.ProcessEnv, ...args: string[]): { child: ChildProcess; ended: Promise<Said> } {
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'], cwd: room, env })
  const said = { stdout: '', stderr: '' }
  child.stdout.on('data', (text: Buffer) => (said.stdout += text.toString()))
  child.stderr.on('data', (text: Buffer) => (said.stderr += text.toString()))
  return { child, ended: once(child, 'close').then(([code]) => ({ code: code as number, ...said })) }
}

const isInstalled = (): Promise<boolean> =>
  import('onnxruntime-node').then(
    () => true,
    () => false,
  )

const entente = (...args: string[]): Promise<Said> => begin(...args).ended
const detect = (...args: string[]): Promise<Said> => entente('detect', '--model', model, ...args)
const jsonLines = (text: string): Record<string, unknown>[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>)

describe('entente detect', () => {
  it('calibrates, keeps the threshold beside the model, uses it again, and forgets it when the file is deleted', async () => {
    const kept = `${model}.threshold.json`
    const out = join(room, 'out.jsonl')
    const first = await detect(
      '--calibrate',
      log,
      '--false-positives-per-day',
      '5',
      '--input',
      log,
      '--output',
      out,
      '--json',
    )
    const summary = JSON.parse(first.stdout) as DetectSummary
    expect(first.code).toBe(0)
    expect(summary).toMatchObject({
      interactions: lines.filter((line) => !line.startsWith('#')).length,
      thresholdFrom: 'calibration',
    })
    expect(jsonLines(readFileSync(out, 'utf8'))).toHaveLength(summary.alerts)
    expect(summary.alerts).toBeGreaterThan(0)
    expect(JSON.parse(readFileSync(kept, 'utf8'))).toMatchObject({ perDay: 5, threshold: summary.threshold })
    const second = await detect('--input', log)
    expect(second.code).toBe(0)
    expect(second.stderr).toContain(`${summary.alerts} alerts`)
    expect(second.stdout).toBe(readFileSync(out, 'utf8'))
    rmSync(kept)
    const third = await detect('--input', log)
    expect([third.code, third.stdout]).toEqual([2, ''])
    expect(third.stderr).toContain('--calibrate')
  })

  it('writes OCSF and ECS, one finding a line', async () => {
    const ocsf = jsonLines((await detect('--input', log, '--threshold', '0.5', '--format', 'ocsf')).stdout)
    const ecs = jsonLines((await detect('--input', log, '--threshold', '0.5', '--format', 'ecs')).stdout)
    expect(ocsf.length).toBeGreaterThan(0)
    expect(ecs).toHaveLength(ocsf.length)
    expect(ocsf.every(({ class_uid }) => class_uid === 2004)).toBe(true)
    expect(ecs.every(({ ecs: version }) => JSON.stringify(version) === '{"version":"8.11.0"}')).toBe(true)
  })

  it('writes every score without a threshold if that is asked for', async () => {
    const { code, stdout } = await detect('--input', log, '--all', '--no-explain')
    expect(code).toBe(0)
    const found = jsonLines(stdout)
    expect(found).toHaveLength(lines.filter((line) => !line.startsWith('#')).length)
    expect(found.every(({ alert, threshold }) => alert === false && threshold === null)).toBe(true)
  })

  it('scores with ONNX Runtime if that is asked for, and says what to install where it is missing', async () => {
    const args = ['--input', log, '--all', '--no-explain']
    const hook = `if (name === 'onnxruntime-node') throw new Error('Cannot find package'); return next(name, context)`
    const hidden = `import { registerHooks } from 'node:module'
      registerHooks({ resolve(name, context, next) { ${hook} } })`
    const env = {
      ...process.env,
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(hidden)}`,
    }
    const missing = await beginIn(env, 'detect', '--model', model, ...args, '--accelerator', 'onnx').ended
    expect([missing.code === 0, missing.stdout]).toEqual([false, ''])
    expect(missing.stderr).toContain('install the optional package onnxruntime-node')
    expect((await beginIn(env, 'detect', '--model', model, ...args).ended).code).toBe(0)
    if (!(await isInstalled())) return
    const [theirs, ours] = [
      jsonLines((await detect(...args, '--accelerator', 'onnx')).stdout),
      jsonLines((await detect(...args)).stdout),
    ]
    expect(theirs).toHaveLength(ours.length)
    const differences = theirs.map(({ score }, i) => Math.abs(Number(score) - Number(ours[i]?.['score'])))
    expect(Math.max(...differences)).toBeLessThan(1e-4)
  })

  it('ends quietly when nobody reads any more', async () => {
    const { child, ended } = begin(
      'detect',
      '--model',
      model,
      '--input',
      ...Array.from({ length: 20 }, () => log),
      '--all',
    )
    await once(child.stdout as NodeJS.ReadableStream, 'data')
    child.stdout?.destroy()
    expect(await ended).toMatchObject({ code: 0, stderr: '' })
  })

  it('follows a log until it is interrupted, and goes on after a restart', async () => {
    const grown = join(room, 'grown.log')
    const out = join(room, 'followed.jsonl')
    const count = (): number => (existsSync(out) ? readFileSync(out, 'utf8').split('\n').length - 1 : 0)
    const header = lines.filter((line) => line.startsWith('#')).length
    const args = [
      '--input',
      grown,
      '--follow',
      '--state',
      join(room, 'state'),
      '--all',
      '--no-explain',
      '--output',
      out,
      '--json',
    ]
    writeFileSync(grown, `${lines.slice(0, header + 100).join('\n')}\n`)
    for (const expected of [100, 150]) {
      const { child, ended } = begin('detect', '--model', model, ...args)
      await vi.waitFor(() => expect(count()).toBe(expected), 20_000)
      child.kill('SIGINT')
      const { code, stdout } = await ended
      const memory = expected === 100 ? 'cold' : 'warm'
      expect([code, JSON.parse(stdout)]).toMatchObject([0, { interactions: expected === 100 ? 100 : 50, memory }])
      if (expected === 100) appendFileSync(grown, `${lines.slice(header + 100, header + 150).join('\n')}\n`)
    }
  })

  it('says what is wrong: exit 2 for the command line, 3 for a model that is none, 1 for a log that is none', async () => {
    const broken = join(room, 'broken.safetensors')
    writeFileSync(broken, 'no model')
    const cases: [number, string, string[]][] = [
      [2, 'config-invalid', ['--model', model, '--input', log, '--threshold', 'high']],
      [2, 'config-invalid', ['--model', model, '--input', log, '--threshold', '1', '--false-positives-per-day', '5']],
      [2, 'config-invalid', ['--model', model, '--calibrate', log]],
      [2, 'config-invalid', ['--model', model, '--input', log, '--threshold', '1', '--state', room]],
      [2, 'config-invalid', ['--model', model, '--input', log, '--threshold', '1', '--score', 'surprise']],
      [2, 'config-invalid', ['--model', model, '--input', log, '--threshold', '1', '--local-networks', 'x']],
      [2, 'config-invalid', ['--model', model]],
      [
        2,
        'cannot be written',
        ['--model', model, '--input', log, '--threshold', '1', '--output', join(room, 'no', 'out')],
      ],
      [2, '', ['--model', model, '--input', log, '--format', 'xml']],
      [1, 'not-found', ['--model', join(room, 'none'), '--input', log, '--threshold', '1']],
      [3, 'model-invalid', ['--model', broken, '--input', log, '--threshold', '1']],
      [1, 'input-invalid', ['--model', model, '--input', broken, '--threshold', '1']],
    ]
    const said = await Promise.all(cases.map(([, , args]) => entente('detect', ...args)))
    for (const [i, [code, text, args]] of cases.entries()) {
      expect([args, said[i]?.code]).toEqual([args, code])
      expect(said[i]?.stderr).toContain(text)
    }
  })
})

describe('entente model export', () => {
  it('copies a file of a model as it is, and writes ONNX that names its source', async () => {
    const hash = createHash('sha256').update(readFileSync(model)).digest('hex')
    const copied = await entente('model', 'export', '--model', model, '--output', join(room, 'copy'), '--json')
    expect(JSON.parse(copied.stdout)).toMatchObject({ model_hash: hash, file_hash: hash, format: 'safetensors' })
    expect(readFileSync(join(room, 'copy'))).toEqual(readFileSync(model))
    const onnx = await entente('model', 'export', '--model', model, '--format', 'onnx', '--json')
    expect(JSON.parse(onnx.stdout)).toMatchObject({ file: 'model.onnx', model_hash: hash })
    const bytes = readFileSync(join(room, 'model.onnx'))
    for (const text of [hash, 'entente.features', '"pairGap"']) expect(bytes.includes(text)).toBe(true)
  })

  it('writes a response policy as ONNX, with the names of its actions', async () => {
    const policy = createPolicy(defaultPolicy(2), loadKernels())
    const file = join(room, 'policy.safetensors')
    writeFileSync(file, encodePolicy({ policy, parameters: policy.initialise('cli') }, 'v1'))
    const hash = createHash('sha256').update(readFileSync(file)).digest('hex')
    const to = join(room, 'policy.onnx')
    const onnx = await entente('model', 'export', '--model', file, '--format', 'onnx', '--output', to, '--json')
    expect(JSON.parse(onnx.stdout)).toMatchObject({ file: to, model_hash: hash })
    const bytes = readFileSync(to)
    for (const text of [hash, '["sleep","analyse 0","analyse 1","decoy 0"', 'probabilities'])
      expect(bytes.includes(text)).toBe(true)
  })

  it('refuses what is no model, and leaves nothing behind', async () => {
    writeFileSync(join(room, 'broken'), 'no model')
    for (const format of ['onnx', 'safetensors']) {
      const out = join(room, `out.${format}`)
      const { code } = await entente(
        'model',
        'export',
        '--model',
        join(room, 'broken'),
        '--format',
        format,
        '--out',
        out,
      )
      expect([code, existsSync(out), existsSync(`${out}.partial`)]).toEqual([3, false, false])
    }
    expect((await entente('model', 'export', 'v1', '--model', model)).code).toBe(2)
  })
})
