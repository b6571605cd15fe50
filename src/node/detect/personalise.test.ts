import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createModel, type ThreatModelSpec } from '../../models/model.ts'
import { levelOf } from '../../models/personalise.ts'
import { prng } from '../../base/prng.ts'
import { generateTraffic } from '../../telemetry/generator.ts'
import { BENIGN } from '../../telemetry/dataset.ts'
import { openAccelerator } from '../accelerator.ts'
import { openDataset } from '../dataset-files.ts'
import { DEFAULT_MLP, DEFAULT_TGNN } from '../default-model.ts'
import { ingest } from '../ingest.ts'
import { loadKernels } from '../kernels.ts'
import { encodeFlat, modelMetadata } from '../model-files.ts'
import { readModelRows } from '../model-rows.ts'
import { loadModel } from './model-file.ts'
import { loadPersonalModel } from './personal-model.ts'
import { personalise, type PersonaliseOptions } from './personalise.ts'

const refusedAs = (code: string): unknown => expect.objectContaining({ code })
const installed = await import('onnxruntime-node').then(
  () => true,
  () => false,
)
const specs: Readonly<Record<'mlp' | 'tgnn', ThreatModelSpec>> = {
  mlp: { ...DEFAULT_MLP, hidden: [8] },
  tgnn: { ...DEFAULT_TGNN, width: 8, hidden: [8], timeDimensions: 4 },
}
const [site] = generateTraffic({ seed: 'personalise', sites: 1, days: 3, interactionsPerSite: 2000 })
if (site === undefined) throw new Error('no traffic')
const lines = [...site.lines()]
const records = lines.filter((line) => !line.startsWith('#'))
const attacks = records.filter((line) => !line.includes('\tBenign\t'))

let room: string
beforeAll(async () => {
  room = mkdtempSync(join(tmpdir(), 'entente-personalise-'))
  const log = place('conn.log', `${lines.join('\n')}\n`)
  const to = { directory: join(room, 'set'), quarantineDirectory: room }
  await ingest({ paths: [log], format: 'auto', localNetworks: site.localNetworks, ...to })
})
afterAll(() => rmSync(room, { recursive: true, force: true }))

function place(name: string, content: string | Uint8Array): string {
  writeFileSync(join(room, name), content)
  return join(room, name)
}

function sharedOf(kind: keyof typeof specs, seed = 'shared'): string {
  const model = createModel(specs[kind], loadKernels())
  const file = encodeFlat(model.layout, modelMetadata(model.spec, 'v1'), model.initialise(seed))
  return place(`${kind}-${seed}.safetensors`, file)
}

const asked = (sharedPath: string, name = 'own'): PersonaliseOptions => ({
  sharedPath,
  data: { directory: join(room, 'set'), trainUntil: null, families: 'all' },
  output: join(room, `${name}.safetensors`),
})

function rowsFor(inputs: number, rows: number): Float32Array {
  const random = prng('rows')
  return Float32Array.from({ length: rows * inputs }, () => random.uniform() * 4 - 1)
}

describe.each(['mlp', 'tgnn'] as const)('an own model of kind %s', (kind) => {
  it('is the same file for the same data, and says what it was made of', async () => {
    const shared = sharedOf(kind)
    const made = await personalise(asked(shared))
    expect(made).toMatchObject({ beside: (await loadModel(shared)).digest, rows: records.length })
    expect([made.attacks, made.families.length > 0]).toEqual([attacks.length, true])
    const again = await personalise(asked(shared, 'again'))
    expect(readFileSync(again.file)).toEqual(readFileSync(made.file))
    expect(again.model_hash).toBe(made.model_hash)
    expect((await loadModel(made.file)).digest).toBe(made.model_hash)
  })

  it('scores beside the shared one as the higher of both, each from its own level', async () => {
    const shared = sharedOf(kind)
    const { file } = await personalise(asked(shared))
    const [one, two, both] = [await loadModel(shared), await loadModel(file), await loadPersonalModel(shared, file)]
    const level = (key: string): number => Number(two.header.metadata[key])
    const { inputs } = createModel(specs[kind], loadKernels())
    const rows = rowsFor(inputs, 50)
    const [a, b, scores] = [one.score(rows, 50), two.score(rows, 50), both.score(rows, 50)]
    const expected = a.map((score, i) => Math.max(score - level('beside_level'), (b[i] ?? NaN) - level('own_level')))
    expect([...scores]).toEqual([...expected])
    expect(
      new Set([...scores].map((score, i) => score === Math.fround((a[i] ?? 0) - level('beside_level')))).size,
    ).toBe(2)
    expect(both.digest).not.toBe(one.digest)
  })

  it.skipIf(!installed)('is accelerated with it, within 1e-4 of the kernels', async () => {
    const shared = sharedOf(kind)
    const both = await loadPersonalModel(shared, (await personalise(asked(shared))).file)
    const rows = rowsFor(createModel(specs[kind], loadKernels()).inputs, 40)
    const accelerated = await both.accelerate(await openAccelerator())
    const theirs = await accelerated.score(rows, 40)
    both.score(rows, 40).forEach((score, i) => expect(Math.abs(score - (theirs[i] ?? NaN))).toBeLessThan(1e-4))
    await accelerated.close()
  })
})

describe('an own model', () => {
  it('measures both from what 99 of 100 harmless rows of the organisation get, attacks left out', async () => {
    const shared = sharedOf('mlp')
    const { file } = await personalise(asked(shared))
    const own = await loadModel(file)
    const dataset = await openDataset(join(room, 'set'))
    const harmless = Uint32Array.from(records.keys()).filter((row) => dataset.rows.label(row) === BENIGN)
    const rows = new Float32Array(harmless.length * DEFAULT_MLP.inputs)
    await readModelRows(dataset, own.spec, harmless, (block, from, count) =>
      rows.set(block.subarray(0, count * DEFAULT_MLP.inputs), from * DEFAULT_MLP.inputs),
    )
    await dataset.close()
    const [ofShared, ofOwn] = [await loadModel(shared), own].map((one) => levelOf(one.score(rows, harmless.length)))
    expect([own.header.metadata['beside_level'], own.header.metadata['own_level']].map(Number)).toEqual([
      ofShared,
      ofOwn,
    ])
  })

  it('is refused to who has investigated no attack, and leaves nothing behind', async () => {
    const options = asked(sharedOf('mlp'), 'none')
    await expect(personalise({ ...options, data: { ...options.data, families: [] } })).rejects.toThrow(
      refusedAs('no-data'),
    )
    expect(readdirSync(room).filter((name) => name.startsWith('none') || name.startsWith('.rows'))).toEqual([])
  })

  it('stands beside the model that it was made for and no other, nor in its place', async () => {
    const [shared, other] = [sharedOf('mlp'), sharedOf('mlp', 'other')]
    const { file } = await personalise(asked(shared))
    await expect(loadPersonalModel(other, file)).rejects.toThrow('another model')
    await expect(loadPersonalModel(shared, other)).rejects.toThrow('no model to stand beside')
  })
})
