import { describe, expect, it } from 'vitest'
import { loadKernels } from '../../../../test/kernels.ts'
import { prng } from '../../../base/prng.ts'
import { createPolicy } from '../../policy/policy.ts'
import type { PolicySpec } from '../../policy/spec.ts'
import { exportOnnx } from './export.ts'

const runtime = await import('onnxruntime-node').catch(() => undefined)
const reason = runtime === undefined ? ' (skipped: onnxruntime-node is not installed)' : ''

const specs: readonly PolicySpec[] = [
  { kind: 'policy', observations: 13 * 22, actions: 53, hidden: [32, 32], slots: 'alike' },
  { kind: 'policy', observations: 13 * 22, actions: 53, hidden: [64, 64], slots: 'apart' },
  { kind: 'policy', observations: 3 * 5, actions: 13, hidden: [8, 4], slots: 'alike' },
  { kind: 'policy', observations: 5, actions: 5, hidden: [], slots: 'apart' },
]

/** With biases that are not zero and last layers that are not small, so that a mistaken one is seen. */
function shownTo(spec: PolicySpec, rows: number) {
  const random = prng('onnx/policy')
  const policy = createPolicy(spec, loadKernels())
  const parameters = policy.initialise('onnx').map((value) => value + (random.uniform() - 0.5) * 0.4)
  const observations = Float32Array.from({ length: rows * spec.observations }, () => random.uniform() * 3 - 1)
  const masks = Uint8Array.from({ length: rows * spec.actions }, (_, i) =>
    i % spec.actions === 0 || random.uniform() < 0.6 ? 1 : 0,
  )
  return { policy, parameters, observations, masks }
}

const worst = (ours: Float32Array, theirs: Float32Array): number =>
  ours.reduce(
    (most, value, i) => Math.max(most, Math.abs(value - (theirs[i] ?? NaN)) / Math.max(1, Math.abs(value))),
    0,
  )

describe.skipIf(runtime === undefined)(`a response policy as ONNX in onnxruntime${reason}`, () => {
  it.each(specs)('with slots $slots and $actions actions judges as the kernels do, within 1e-5', async (spec) => {
    const { InferenceSession, Tensor } = runtime as NonNullable<typeof runtime>
    const rows = 300
    const { policy, parameters, observations, masks } = shownTo(spec, rows)
    const file = exportOnnx({ spec, parameters, producerVersion: '', metadata: {} })
    const session = await InferenceSession.create(file, { intraOpNumThreads: 1 })
    expect([session.inputNames, session.outputNames]).toEqual([
      ['observations', 'mask'],
      ['probabilities', 'value'],
    ])
    const ours = policy.judge(parameters, observations, masks)
    const { probabilities, value } = await session.run({
      observations: new Tensor('float32', observations, [rows, spec.observations]),
      mask: new Tensor('float32', Float32Array.from(masks), [rows, spec.actions]),
    })
    expect([probabilities?.dims, value?.dims]).toEqual([[rows, spec.actions], [rows]])
    expect(worst(ours.probabilities, probabilities?.data as Float32Array)).toBeLessThan(1e-5)
    expect(worst(ours.values, value?.data as Float32Array)).toBeLessThan(1e-5)
    expect([...masks.keys()].every((i) => masks[i] === 1 || probabilities?.data[i] === 0)).toBe(true)
    expect(new Set(ours.values).size).toBe(rows)
    await session.release()
  })
})
