import { beforeAll, describe, expect, it } from 'vitest'
import { prng } from '../../src/base/prng.ts'
import type { RobustRuleName } from '../../src/learning/robust/config.ts'
import { reputationsAfter } from '../../src/learning/robust/reputation.ts'
import type { Kernels } from '../../src/models/kernels/kernels.ts'
import { loadKernels } from '../../src/node/kernels.ts'
import type { UpdateAttack } from '../../test/attacks/attack.ts'
import { innerProduct } from '../../test/attacks/colluding.ts'
import { gaussian, signFlip } from '../../test/attacks/updates.ts'
import { blocksOf } from '../checkers/blocks.ts'
import { checkDurable } from '../checkers/durable.ts'
import { checkOneLedger } from '../checkers/one-ledger.ts'
import type { Tampering } from '../cluster.ts'
import type { Run } from '../run.ts'
import {
  bucketPlan,
  byzantinePlan,
  type Falsify,
  IN_BUCKETS,
  ORGANISATIONS,
  runByzantine,
  runHonest,
} from './byzantine.ts'
import { checkContained } from './contained.ts'

let kernels: Kernels
beforeAll(() => {
  kernels = loadKernels()
})

/** A liar who knows the others by its own data only. */
const by =
  (attack: UpdateAttack): Falsify =>
  (update, seed) =>
    attack.updates({
      own: [update],
      honest: [update],
      previous: null,
      first: [update],
      random: prng(`lie/${seed}`),
    })[0] ?? update

const honest = new Map<string, Promise<Run>>()
function honestRun(rule: RobustRuleName, liars: number): Promise<Run> {
  const key = `${rule}/${liars}`
  const run = honest.get(key) ?? runHonest(byzantinePlan('honest', rule, liars), kernels)
  honest.set(key, run)
  return run
}

async function contained(
  seed: string,
  rule: RobustRuleName,
  liars: number,
  attack: UpdateAttack,
  tampering: Tampering = {},
) {
  const plan = byzantinePlan(seed, rule, liars)
  const options = { plan, kernels, liars: ORGANISATIONS.slice(0, liars), falsify: by(attack), tampering }
  const run = await runByzantine(options)
  return { run, ...checkContained(run, await honestRun(rule, liars)) }
}

describe('a federation with organisations that lie, and with all its other troubles', () => {
  for (const [rule, liars] of [
    ['multi-krum', 2],
    ['median', 3],
    ['trimmed-mean', 2],
    ['centered-clipping', 2],
  ] as const)
    it.each([signFlip(10), gaussian(5), innerProduct(10)])(
      `learns nearly what the honest learn, by ${rule} against ${liars} of 7: $name`,
      { timeout: 120_000 },
      async (attack) => {
        for (let seed = 1; seed <= 3; seed++) {
          const { run, violations } = await contained(String(seed), rule, liars, attack)
          expect(run.unfinished).toEqual([])
          expect({ seed, violations }).toEqual({ seed, violations: [] })
          expect([...checkDurable(run), ...checkOneLedger(run)]).toEqual([])
        }
      },
    )

  it('names the liars in every block, and their reputation falls while that of the others rises', async () => {
    const { run } = await contained('1', 'multi-krum', 2, signFlip(10))
    const reputations = reputationsAfter(blocksOf(run))
    for (const [i, name] of ORGANISATIONS.entries())
      if (i < 2)
        expect(reputations.get(name)).toMatchObject({ rounds: 4, score: expect.closeTo(0.5 * 0.95 ** 4, 9) as number })
      else expect(reputations.get(name)?.score).toBeGreaterThan(0.5)
  })
})

describe('a federation whose updates are hidden in buckets', () => {
  it('learns nearly what the honest learn, though nobody can say who lied', { timeout: 120_000 }, async () => {
    const plan = bucketPlan('buckets', 'median')
    const honest = await runHonest(plan, kernels)
    const liars = IN_BUCKETS.slice(4, 5)
    const run = await runByzantine({ plan, kernels, liars, falsify: by(signFlip(10)) })
    expect(run.unfinished).toEqual([])
    expect(checkContained(run, honest).violations).toEqual([])
    const mean = await runByzantine({ plan, kernels, liars, falsify: by(signFlip(10)), tampering: forgetRule })
    expect(checkContained(mean, honest).violations).not.toEqual([])
    for (const { aggregation_metrics: metrics, provenance } of blocksOf(run).slice(1)) {
      expect((metrics['buckets'] as number[][]).flat().toSorted((a, b) => a - b)).toEqual(
        provenance.participants.map((_, i) => i),
      )
      expect(metrics).not.toHaveProperty('robust_flagged')
    }
  })
})

/** A hub that takes the mean whatever was asked for. */
const forgetRule: Tampering = {
  ports: (ports, { name }) => {
    if (name !== 'hub') return ports
    const { jobs } = ports
    return {
      ...ports,
      jobs: { ...jobs, start: (handler) => jobs.start((job) => handler({ ...job, effect: meant(job.effect) })) },
    }
  },
}

function meant<Effect>(effect: Effect): Effect {
  const { type, config } = effect as { type?: string; config?: { robust: object } }
  if (type !== 'aggregate' || config === undefined) return effect
  return { ...effect, config: { ...config, robust: { ...config.robust, rule: 'none' } } }
}

describe('a planted bug is caught', () => {
  it('by the distance and by the blocks, when the hub takes the mean in place of the rule', async () => {
    const { violations, distance } = await contained('1', 'multi-krum', 2, signFlip(10), forgetRule)
    expect(distance).toBeGreaterThan(1)
    expect(violations.map(({ message }) => message.replace(/\d+(\.\d+)?/g, '#'))).toEqual([
      'the model is # of the honest way from the honest one',
      ...Array.from({ length: 4 }, () => 'block # says that undefined made it, not multi-krum'),
    ])
  })
})
