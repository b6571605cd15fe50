import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createModel, type Objective } from '../../models/model.ts'
import { generateTraffic } from '../../telemetry/generator.ts'
import type { AcceleratedModel } from '../../models/accelerator.ts'
import { openAccelerator } from '../accelerator.ts'
import { DEFAULT_MLP, DEFAULT_TGNN, MODEL_KINDS, type ThreatModelKind } from '../default-model.ts'
import { loadKernels } from '../kernels.ts'
import { encodeFlat, modelMetadata } from '../model-files.ts'
import { calibrate, detect, type DetectOptions, learnHistory, type Memory } from './detect.ts'
import type { Detection } from './detection.ts'
import { noOutput } from './fixtures/no-output.ts'
import { type LoadedModel, loadModel } from './model-file.ts'

const installed = await import('onnxruntime-node').then(
  () => true,
  () => false,
)
const reason = installed ? '' : ' (skipped: onnxruntime-node is not installed)'
const NEAR = 1e-4
/** The default sizes are held to the kernels in ../accelerator.test.ts. */
const specs = { mlp: DEFAULT_MLP, tgnn: { ...DEFAULT_TGNN, width: 8, hidden: [8], timeDimensions: 4 } } as const
const ROWS = 2600
const [site] = generateTraffic({ seed: 'accelerated', sites: 1, days: 4, interactionsPerSite: ROWS })
if (site === undefined) throw new Error('no traffic')

let room: string
let log: string
beforeAll(() => {
  room = mkdtempSync(join(tmpdir(), 'entente-accelerated-'))
  log = join(room, 'conn.log')
  writeFileSync(log, `${[...site.lines()].join('\n')}\n`)
})
afterAll(() => rmSync(room, { recursive: true, force: true }))

async function modelOf(kind: ThreatModelKind): Promise<LoadedModel> {
  const model = createModel(specs[kind], loadKernels())
  const path = join(room, `${kind}.safetensors`)
  writeFileSync(path, encodeFlat(model.layout, modelMetadata(model.spec, 'v1'), model.initialise('accelerated')))
  return loadModel(path)
}

const scoring = (model: LoadedModel, accelerated?: AcceleratedModel, objective: Objective = 'supervised') => ({
  model,
  objective,
  localNetworks: site.localNetworks,
  logFormat: 'auto' as const,
  ...(accelerated === undefined ? {} : { accelerated }),
})

async function run(options: ReturnType<typeof scoring>, more: Partial<DetectOptions> = {}, before?: Memory) {
  const detections: Detection[] = []
  const asked = { paths: [log], threshold: null, rates: [], all: true, scoreMin: -Infinity, explained: true }
  const format = (detection: Detection): void => void detections.push(detection)
  const report = await detect({ ...asked, ...options, output: noOutput, format, ...more }, before)
  return { report, detections }
}

/** Answers late, and counts: what an accelerator may do. */
function slowly({ score, close }: AcceleratedModel): AcceleratedModel & { readonly asked: number[] } {
  const asked: number[] = []
  return {
    asked,
    async score(features, rows, objective) {
      const scores = await score(features, rows, objective)
      asked.push(rows)
      await new Promise((resolve) => setTimeout(resolve, 2))
      return scores
    },
    close,
  }
}

describe.skipIf(!installed).each(MODEL_KINDS)(`accelerated detection with a model of kind %s${reason}`, (kind) => {
  it('scores every interaction in its order within 1e-4 of the kernels, however late the answers come', async () => {
    const model = await modelOf(kind)
    const accelerated = slowly(await (await openAccelerator()).load(model.spec, model.parameters))
    const kernels = await run(scoring(model))
    const theirs = await run(scoring(model, accelerated))
    expect(accelerated.asked.reduce((sum, rows) => sum + rows, 0)).toBe(kernels.detections.length)
    expect(theirs.detections.map(({ line }) => line)).toEqual(kernels.detections.map(({ line }) => line))
    const furthest = theirs.detections.map(({ score }, i) => Math.abs(score - (kernels.detections[i]?.score ?? NaN)))
    expect(Math.max(...furthest)).toBeLessThan(NEAR)
    await accelerated.close()
  })

  it('raises the alerts of the kernels for their reasons, after a calibration of its own', async () => {
    const model = await modelOf(kind)
    const accelerated = slowly(await (await openAccelerator()).load(model.spec, model.parameters))
    const [ours, theirs] = [scoring(model), scoring(model, accelerated)]
    const wish = { paths: [log], perDay: 5, now: 0 }
    const [a, b] = [await calibrate({ ...ours, ...wish }), await calibrate({ ...theirs, ...wish })]
    expect(Math.abs(a.file.threshold - b.file.threshold)).toBeLessThan(NEAR)
    const threshold = a.file.threshold - 10 * NEAR
    const kernels = await run(ours, { threshold, all: false })
    const other = await run(theirs, { threshold, all: false })
    expect(other.report.alerts).toBe(kernels.report.alerts)
    expect(kernels.report.alerts).toBeGreaterThan(3)
    // Reasons are the kernels' in both; only the mean of what is usual could differ, by who is over the threshold.
    const why = ({ explanation }: Detection) => explanation?.features.map(({ name }) => name)
    expect(other.detections.map(why)).toEqual(kernels.detections.map(why))
    const warm = await learnHistory([log], theirs)
    expect(warm.last).toBe(b.memory.last)
    await accelerated.close()
  })
})

describe.skipIf(!installed)(`what an accelerator is asked for${reason}`, () => {
  it('is the surprise where that is the score, and refused where a model has none', async () => {
    const [network, perceptron] = [await modelOf('tgnn'), await modelOf('mlp')]
    const runtime = await openAccelerator()
    const [linked, plain] = [
      await runtime.load(network.spec, network.parameters),
      await runtime.load(perceptron.spec, perceptron.parameters),
    ]
    const kernels = await run(scoring(network, undefined, 'link'))
    const theirs = await run(scoring(network, linked, 'link'))
    const furthest = theirs.detections.map(({ score }, i) => Math.abs(score - (kernels.detections[i]?.score ?? NaN)))
    expect(Math.max(...furthest)).toBeLessThan(NEAR)
    await expect(run(scoring(perceptron, plain, 'link'))).rejects.toMatchObject({ code: 'model-invalid' })
    for (const one of [linked, plain]) await one.close()
  })

  it('answers with a number, or the run ends', async () => {
    const model = await modelOf('mlp')
    const broken: AcceleratedModel = {
      score: async (_, rows) => new Float32Array(rows).fill(Number.NaN),
      close: async () => undefined,
    }
    await expect(run(scoring(model, broken))).rejects.toMatchObject({ code: 'not-finite' })
  })
})
