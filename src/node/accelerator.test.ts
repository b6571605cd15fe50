import { describe, expect, it } from 'vitest'
import { prng } from '../base/prng.ts'
import { exportOnnx } from '../models/formats/onnx/export.ts'
import { createModel } from '../models/model.ts'
import { planTgnn } from '../models/tgnn/plan.ts'
import { openAccelerator } from './accelerator.ts'
import { defaultModel, MODEL_KINDS } from './default-model.ts'
import { loadKernels } from './kernels.ts'

const installed = await import('onnxruntime-node').then(
  () => true,
  () => false,
)
const reason = installed ? '' : ' (skipped: onnxruntime-node is not installed)'

const specs = MODEL_KINDS.map(defaultModel)

function randomRows(length: number): Float32Array {
  const random = prng('accelerator')
  return Float32Array.from({ length }, () => random.uniform() * 4 - 1)
}

describe(`the accelerator${reason}`, () => {
  it.skipIf(!installed).each(specs)('scores a $kind within 1e-4 of the kernels', async (spec) => {
    const model = createModel(spec, loadKernels())
    const parameters = model.initialise('accelerator')
    const rows = 1500
    const accelerated = await (await openAccelerator()).load(model.spec, parameters)
    const width = spec.kind === 'mlp' ? spec.inputs : planTgnn(spec).inputs
    const features = randomRows(rows * width)
    const [ours, theirs] = [model.score(parameters, features, rows), await accelerated.score(features, rows)]
    expect(theirs).toHaveLength(rows)
    ours.forEach((logit, row) => {
      expect(Math.abs(logit - (theirs[row] ?? Number.NaN)), `row ${row}`).toBeLessThan(1e-4)
    })
    await expect(accelerated.score(features, rows + 1)).rejects.toMatchObject({ code: 'wrong-shape' })
    expect(await accelerated.score(features, 0)).toHaveLength(0)
    await accelerated.close()
  })

  it("is given graphs without ScatterND, whose order of additions is nobody's", () => {
    for (const spec of specs) {
      const parameters = createModel(spec, loadKernels()).initialise('graph')
      const file = exportOnnx({ spec, parameters, producerVersion: '', metadata: {} })
      expect(Buffer.from(file).includes('Gemm')).toBe(true)
      expect(Buffer.from(file).includes('ScatterND')).toBe(false)
    }
  })

  it('is not available where the package is missing, and says what to do', async () => {
    const missing = openAccelerator(() => Promise.reject(new Error('Cannot find package')))
    await expect(missing).rejects.toMatchObject({ code: 'not-available' })
    await expect(missing).rejects.toThrow('onnxruntime-node')
  })
})
