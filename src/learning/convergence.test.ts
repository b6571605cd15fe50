import { describe, expect, it } from 'vitest'
import { modelVersion, recordedConfig, roundBlockContent } from './block-content.ts'
import { aggregationMetrics, convergenceRate, federationMetrics, reportedMean } from './convergence.ts'
import { configOf, contributionOf } from './learning.suite.ts'
import type { RoundFacts } from './round-state.ts'

const result = {
  model: contributionOf('org-a').update.digest,
  strategyState: null,
  normDifference: 2,
  gradientNorm: 3,
  convergence: 0.5,
  durationMs: 7,
}

describe('metrics', () => {
  it('carry the names of the ledger document', () => {
    expect(aggregationMetrics(4, [contributionOf('org-a')], result)).toEqual({
      round: 4,
      num_clients: 1,
      convergence: 0.5,
      norm_difference: 2,
      gradient_norm: 3,
      aggregation_latency_ms: 7,
      reported_loss: 0.5,
    })
    expect(federationMetrics(4, 1, result)).toEqual({
      round_number: 4,
      participating_orgs: 1,
      aggregation_latency_ms: 7,
      convergence_rate: 0.5,
      norm_difference: 2,
      gradient_norm: 3,
    })
  })

  it('relate the step to the model, and stay finite when the model is zero', () => {
    expect(convergenceRate(1, 4)).toBe(0.25)
    expect(convergenceRate(1, 0)).toBe(1)
    expect(convergenceRate(0, 0)).toBe(0)
  })

  it('weigh what organisations report by sample count, and leave out what not all report', () => {
    const [a, b] = [
      contributionOf('org-a', { sampleCount: 1, metrics: { loss: 1 } }),
      contributionOf('org-b', { sampleCount: 3, metrics: { loss: 5 } }),
    ]
    // (1 * 1 + 3 * 5) / 4 = 4
    expect(reportedMean([a, b], 'loss')).toBe(4)
    expect(reportedMean([a, contributionOf('org-b', { metrics: {} })], 'loss')).toBeUndefined()
    expect(reportedMean([a, contributionOf('org-b', { metrics: { loss: Number.NaN } })], 'loss')).toBeUndefined()
    expect(reportedMean([], 'loss')).toBeUndefined()
    expect(aggregationMetrics(1, [contributionOf('org-a', { metrics: {} })], result)).not.toHaveProperty(
      'reported_loss',
    )
  })
})

describe('what a block says', () => {
  it('names the robust rule, and by position who was left out, shortened or far from the rest; nothing for the mean', () => {
    const robust = { rule: 'krum', leftOut: [0, 2], clipped: [], flagged: [2] }
    expect(aggregationMetrics(1, [], { ...result, robust })).toMatchObject({
      robust_rule: 'krum',
      robust_left_out: [0, 2],
      robust_clipped: [],
      robust_flagged: [2],
      byzantine_detection_triggered: true,
    })
    expect(federationMetrics(1, 3, { ...result, robust: { ...robust, flagged: [] } })).toMatchObject({
      byzantine_detection_triggered: false,
    })
    expect(aggregationMetrics(1, [], result)).not.toHaveProperty('byzantine_detection_triggered')
  })

  it('names versions as the ledger document does', () => {
    expect([0, 1, 42].map(modelVersion)).toEqual(['v1.0-init', 'v1.1-round-1', 'v1.42-round-42'])
  })

  it('lists the kinds of log once each, and only so many that strangers cannot fill up the leaf', () => {
    const facts = {
      round: 1,
      config: configOf(),
      contributions: [contributionOf('org-a'), contributionOf('org-b')],
    } as unknown as RoundFacts
    expect(roundBlockContent(facts, result).provenance.data_sources).toEqual(['zeek-tsv'])
    const many = ['org-a', 'org-b', 'org-c'].map((name) =>
      contributionOf(name, { dataSources: Array.from({ length: 16 }, (_, i) => `${name}-${i}`) }),
    )
    const { data_sources } = roundBlockContent({ ...facts, contributions: many }, result).provenance
    expect(data_sources).toHaveLength(33)
    expect(data_sources.at(-1)).toBe('16 more')
  })

  it('records the configuration itself, and only its digest when it is large', () => {
    expect(recordedConfig(configOf())).toEqual(configOf())
    const large = configOf({ model: { kind: 'mlp', inputs: 2, hidden: Array.from({ length: 16 }, () => 65_536) } })
    expect(recordedConfig(large)).toEqual(large)
    expect(recordedConfig({ ...configOf(), seed: 's'.repeat(5_000) })).toEqual({
      digest: expect.stringMatching(/^[0-9a-f]{64}$/),
    })
  })
})
