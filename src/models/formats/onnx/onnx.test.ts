import { describe, expect, it } from 'vitest'
import { loadKernels } from '../../../../test/kernels.ts'
import { sha256Hex } from '../../../base/hash.ts'
import { prng } from '../../../base/prng.ts'
import { createModel, type Objective, type ThreatModelSpec } from '../../model.ts'
import { exportOnnx } from './export.ts'

const runtime = await import('onnxruntime-node').catch(() => undefined)
const kernels = loadKernels()

const tgnn = {
  kind: 'tgnn',
  features: 11,
  pairFeatures: 3,
  links: 5,
  linkFeatures: 6,
  timeDimensions: 8,
  width: 12,
  hidden: [16, 8],
} as const
const specs: Readonly<Record<string, ThreatModelSpec>> = {
  'a perceptron': { kind: 'mlp', inputs: 93, hidden: [64, 64] },
  'a perceptron without hidden layers': { kind: 'mlp', inputs: 7, hidden: [] },
  'a temporal graph network': tgnn,
  'a temporal graph network of the default size': {
    ...tgnn,
    features: 93,
    pairFeatures: 8,
    links: 8,
    linkFeatures: 14,
    timeDimensions: 16,
    width: 32,
    hidden: [64, 64],
  },
  'a temporal graph network of one link': { ...tgnn, links: 1 },
}

/** Rows as features have them, with links of any age up to a year, and some ends with few links or none. */
function rowsOf(spec: ThreatModelSpec, inputs: number, count: number): Float32Array {
  const random = prng('onnx')
  const rows = Float32Array.from({ length: count * inputs }, () => random.uniform() * 6 - 3)
  if (spec.kind === 'mlp') return rows
  const from = spec.features + spec.pairFeatures
  for (let r = 0; r < count; r++)
    for (let end = 0; end < 2; end++) {
      const present = Math.floor(random.uniform() * (spec.links + 1))
      for (let k = 0; k < spec.links; k++) {
        const at = r * inputs + from + (end * spec.links + k) * spec.linkFeatures
        rows[at] = k < present ? Math.expm1(random.uniform() * 17) : -1
        if (k >= present) rows.fill(0, at + 1, at + spec.linkFeatures)
      }
    }
  return rows
}

/** Parameters with biases and gains that are none of zero and one, so that a mistaken one is seen. */
function parametersOf(spec: ThreatModelSpec): Float32Array {
  const random = prng('onnx/parameters')
  return createModel(spec, kernels)
    .initialise('onnx')
    .map((value) => value + (random.uniform() - 0.5) * 0.2)
}

const exported = (spec: ThreatModelSpec): Uint8Array =>
  exportOnnx({ spec, parameters: parametersOf(spec), producerVersion: '0.1.0', metadata: { b: '2', a: 'é' } })

describe('a model as ONNX', () => {
  const reason = runtime === undefined ? ' (skipped: onnxruntime-node is not installed)' : ''
  describe.skipIf(runtime === undefined)(`in onnxruntime${reason}`, () => {
    it.each(Object.entries(specs))('of %s scores as the kernels do, within 1e-5', async (_, spec) => {
      const { InferenceSession, Tensor } = runtime as NonNullable<typeof runtime>
      const session = await InferenceSession.create(exported(spec), { intraOpNumThreads: 1 })
      const model = createModel(spec, kernels)
      const parameters = parametersOf(spec)
      const outputs: [string, Objective][] = [['score', 'supervised']]
      if (spec.kind === 'tgnn') outputs.push(['surprise', 'link'])
      expect([session.inputNames, session.outputNames]).toEqual([['features'], outputs.map(([name]) => name)])
      for (const count of [1, 500]) {
        const rows = rowsOf(spec, model.inputs, count)
        const theirs = await session.run({ features: new Tensor('float32', rows, [count, model.inputs]) })
        for (const [name, objective] of outputs) {
          const ours = model.score(parameters, rows, count, objective)
          const given = theirs[name]?.data as Float32Array
          expect(theirs[name]?.dims).toEqual([count])
          const worst = ours.reduce(
            (most, value, i) =>
              Math.max(most, Math.abs(value - (given[i] ?? Number.NaN)) / Math.max(1, Math.abs(value))),
            0,
          )
          expect(worst).toBeLessThan(1e-5)
          expect(new Set(ours).size).toBe(count)
        }
      }
      await session.release()
    })
  })

  it('is the same bytes every time, and others for other weights', () => {
    const spec: ThreatModelSpec = { kind: 'mlp', inputs: 2, hidden: [] }
    const of = (weight: number): Uint8Array =>
      exportOnnx({ spec, parameters: Float32Array.of(0.5, weight, -1), producerVersion: '1', metadata: { k: 'v' } })
    expect(of(2)).toEqual(of(2))
    expect(sha256Hex(of(2))).not.toBe(sha256Hex(of(3)))
  })

  it('is what onnx.proto says: version, operator set, names and metadata stand where a reader looks for them', () => {
    const bytes = exported({ kind: 'mlp', inputs: 2, hidden: [] })
    // ir_version 8, then producer_name.
    expect([...bytes.subarray(0, 11)]).toEqual(
      [0x08, 8, 0x12, 7, ...'entente'].map((one) => (typeof one === 'string' ? one.charCodeAt(0) : one)),
    )
    const tail = [
      0x42, 4, 0x0a, 0, 0x10, 17, 0x72, 7, 0x0a, 1, 0x61, 0x12, 2, 0xc3, 0xa9, 0x72, 6, 0x0a, 1, 0x62, 0x12, 1, 0x32,
    ]
    expect([...bytes.subarray(-tail.length)]).toEqual(tail)
  })

  it('needs all parameters of the model, and no more', () => {
    const spec: ThreatModelSpec = { kind: 'mlp', inputs: 2, hidden: [] }
    for (const length of [2, 4])
      expect(() =>
        exportOnnx({ spec, parameters: new Float32Array(length), producerVersion: '', metadata: {} }),
      ).toThrow(expect.objectContaining({ code: 'wrong-shape' }))
  })
})
