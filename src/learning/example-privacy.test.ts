import { describe, expect, it } from 'vitest'
import { loadKernels } from '../../test/kernels.ts'
import { privacyFaults } from '../ledger/privacy-claims.ts'
import { privacyParams, privacyStatement } from './block-content.ts'
import { parseTrainingConfig } from './config.ts'
import { prepareContribution } from './contribution.ts'
import { exampleEpsilon, type ExamplePlan, mechanismOf } from './example-privacy.ts'
import { configOf } from './learning.suite.ts'
import { examplePlanOf, guaranteeOf } from './privacy-config.ts'
import { expectedStages, sameStages, type StageRecord } from './stages.ts'

const kernels = loadKernels()
const PRIVACY = { unit: 'example', epsilon: 4, rowsPerHost: 8 }
const LOCAL = { batchSize: 1000, rowsMax: 10_000, rowsPerEpoch: 4000 }
const config = configOf({ privacy: PRIVACY, local: LOCAL, rounds: 5 })
const plan = examplePlanOf(config) as ExamplePlan
const prepare = (mechanism = mechanismOf(plan)) =>
  prepareContribution(Float32Array.of(1, 2), { config, parameterCount: 2, kernels, mechanism })
const noiseOf = (stages: readonly StageRecord[]) => stages.find(({ stage }) => stage === 'noise')?.parameters ?? {}

describe('privacy of single training rows', () => {
  it('has as many steps and as likely a row as the configuration says, whatever an organisation has', () => {
    expect(plan).toMatchObject({ steps: 4, samplingThreshold: Math.ceil(0.1 * 2 ** 32), clip: 1, rowsPerHost: 8 })
  })

  it('is recorded as the trainer did it, and the hub takes no other record', () => {
    const { stages, update } = prepare()
    expect(update).toEqual(Float32Array.of(1, 2))
    expect(sameStages(stages, expectedStages(config))).toBe(true)
    const weaker = prepare({ ...mechanismOf(plan), noiseMultiplier: 0.5 })
    expect(sameStages(weaker.stages, expectedStages(config))).toBe(false)
    expect(noiseOf(weaker.stages)['noise_multiplier']).toBe(0.5)
  })

  it('is not claimed where the trainer says nothing: no update goes out unprotected', () => {
    const options = { config, parameterCount: 2, kernels }
    expect(() => prepareContribution(Float32Array.of(1, 2), options)).toThrow(
      expect.objectContaining({ code: 'internal' }),
    )
  })

  it('is stated from the records: epsilon grows with the rounds and ends within what was asked for', () => {
    const { stages } = prepare()
    const epsilons = [1, 2, 3, 4, 5].map((rounds) => guaranteeOf(stages, rounds)?.epsilon ?? 0)
    expect(epsilons.toSorted((a, b) => a - b)).toEqual(epsilons)
    expect(epsilons[4]).toBeLessThanOrEqual(4 + 1e-4)
    expect(epsilons[4]).toBeGreaterThan(3.9)
    const weaker = prepare({ ...mechanismOf(plan), noiseMultiplier: 0.5 })
    expect(guaranteeOf(weaker.stages, 5)?.epsilon).toBeGreaterThan(10)
  })

  it('makes a claim that the ledger accepts and that names the unit, the clip and every number behind epsilon', () => {
    const statement = privacyStatement(prepare().stages, 5)
    expect([...privacyFaults(statement)]).toEqual([])
    expect(statement).toMatchObject({ unit: 'example', rounds: 5, delta: 1e-5, clipping_norm: 1 })
    expect(noiseOf(prepare().stages)).toEqual({
      unit: 'example',
      mechanism: 'dp-sgd',
      sampling_rate: plan.samplingThreshold / 2 ** 32,
      noise_multiplier: plan.deviation / plan.clipSteps,
      steps: 4,
      clip: 1,
      delta: 1e-5,
      rows_per_host: 8,
    })
    expect(privacyParams(config)).toMatchObject({ epsilon: null, stages: [] })
  })

  it('says how much less a host is protected that has all the rows it may have', () => {
    const parameters = noiseOf(prepare().stages)
    const [row, host] = [exampleEpsilon(parameters, 5), exampleEpsilon(parameters, 5, 8)]
    expect(row).toBeLessThanOrEqual(4)
    expect(host).toBeGreaterThan(8 * row)
  })

  it('is on unless it is switched off, and not asked of a response policy, which learns from no rows', () => {
    const model = { kind: 'mlp', inputs: 2, hidden: [3] } as const
    expect(parseTrainingConfig({ model }).privacy).toMatchObject({ unit: 'example', epsilon: 4, delta: 1e-5 })
    expect(parseTrainingConfig({ model, privacy: null }).privacy).toBeNull()
    const policy = { kind: 'policy', observations: 4, actions: 3, hidden: [4] }
    expect(parseTrainingConfig({ model: policy }).privacy).toBeNull()
  })

  it.each([
    ['a response policy', { model: { kind: 'policy', observations: 4, actions: 3, hidden: [4] } }, 'not from rows'],
    ['learning of links', { local: { ...LOCAL, objective: 'link' } }, 'links'],
    ['more rows a step than there are', { local: { ...LOCAL, batchSize: 20_000 } }, 'at most 1'],
    ['noise without an end', { privacy: { ...PRIVACY, epsilon: 0.001 }, rounds: 10_000 }, 'privacy'],
  ])('refuses %s, when the training is started', (_, changes, why) => {
    const asked = { model: { kind: 'mlp', inputs: 2, hidden: [3] }, privacy: PRIVACY, local: LOCAL, ...changes }
    expect(() => parseTrainingConfig(asked)).toThrow(
      expect.objectContaining({ code: 'invalid-request', message: expect.stringContaining(why) as string }),
    )
  })
})
