import { describe, expect, it } from 'vitest'
import { canonicalJson } from '../base/canonical.ts'
import { parseTrainingConfig, PARTICIPANTS_MAX, trainingConfigSchema } from './config.ts'
import { configOf } from './learning.suite.ts'

const model = { kind: 'mlp', inputs: 4, hidden: [8] } as const
const refused = (value: unknown, path: string): void =>
  expect(() => parseTrainingConfig(value, model)).toThrow(
    expect.objectContaining({ code: 'invalid-request', details: { path } }),
  )

describe('a configuration', () => {
  it('needs nothing but a model', () => {
    expect(parseTrainingConfig({}, model)).toMatchObject({
      model,
      strategy: { name: 'fedavg', serverLearningRate: 1 },
      clipNorm: null,
      rounds: 8,
    })
    refused({ model: undefined }, 'model')
  })

  it('parsed again is the same: what is stored, announced and recorded in a block reads alike', () => {
    const config = configOf({ strategy: { name: 'fedprox' }, clipNorm: 2, round: { participantsMax: 7 } })
    expect(parseTrainingConfig(JSON.parse(canonicalJson(config)))).toEqual(config)
    expect(trainingConfigSchema.parse(config)).toEqual(config)
  })

  it('names a purpose only where one is asked for, so that trainings without one read as they always did', () => {
    expect(parseTrainingConfig({}, model)).not.toHaveProperty('purpose')
    expect(parseTrainingConfig({ purpose: 'tuning' }, model).purpose).toBe('tuning')
    for (const purpose of ['', 'Tuning', '-x', 'a b', '__proto__', 'x'.repeat(33), 7]) refused({ purpose }, 'purpose')
  })

  it('for FedProx turns the local proximal term on, unless told otherwise', () => {
    expect(configOf({ strategy: { name: 'fedprox' } }).local.proximalMu).toBe(0.01)
    expect(configOf({ strategy: { name: 'fedprox' }, local: { proximalMu: 0 } }).local.proximalMu).toBe(0)
    expect(configOf({ strategy: { name: 'fedavg' } }).local.proximalMu).toBe(0)
  })

  it('under encryption waits five minutes in a phase, since everybody fetches what all contribute, unless told otherwise', () => {
    const encryption = { parameters: '0'.repeat(64), threshold: 3 }
    const phaseMs = (config: object): number => parseTrainingConfig({ model, ...config }).masking.phaseMs
    expect(phaseMs({ protection: 'paillier', encryption })).toBe(300_000)
    expect(phaseMs({ protection: 'ckks', encryption, masking: { phaseMs: 5 } })).toBe(5)
    expect(phaseMs({ protection: 'secagg' })).toBe(60_000)
  })

  it('for FedAdagrad has no first moment by default, as in Reddi et al. 2021', () => {
    expect(configOf({ strategy: { name: 'fedadagrad' } }).strategy.beta1).toBe(0)
    expect(configOf({ strategy: { name: 'fedadam' } }).strategy.beta1).toBe(0.9)
  })

  it.each<[string, unknown, string]>([
    ['an unknown field', { epochs: 3 }, ''],
    ['an unknown strategy', { strategy: { name: 'fedsgd' } }, 'strategy.name'],
    ['a sample count cap of 1e12', { round: { sampleCountMax: 1e12 } }, 'round.sampleCountMax'],
    ['no participants', { round: { participantsMin: 0 } }, 'round.participantsMin'],
    [
      'more participants than a leaf holds',
      { round: { participantsMax: PARTICIPANTS_MAX + 1 } },
      'round.participantsMax',
    ],
    ['a maximum below the minimum', { round: { participantsMin: 5, participantsMax: 4 } }, 'round.participantsMax'],
    [
      'a negative learning rate',
      { strategy: { name: 'fedavg', serverLearningRate: -1 } },
      'strategy.serverLearningRate',
    ],
    ['a momentum of 1', { strategy: { name: 'fedavgm', momentum: 1 } }, 'strategy.momentum'],
    ['a clip norm of 0', { clipNorm: 0 }, 'clipNorm'],
    ['half a round', { rounds: 1.5 }, 'rounds'],
    ['a model of another kind', { model: { kind: 'cnn' } }, 'model.kind'],
    ['infinity', { local: { learningRate: Number.POSITIVE_INFINITY } }, 'local.learningRate'],
  ])('with %s is refused', (_name, value, path) => refused(value, path))

  it('that is no object is refused', () => {
    for (const value of [null, 'fedavg', [], 3])
      expect(() => parseTrainingConfig(value, model)).toThrow('config is not an object')
  })
})
