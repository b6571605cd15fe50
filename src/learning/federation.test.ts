import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { digestOf } from '../base/hash.ts'
import type { OrganisationId } from '../base/ids.ts'
import type { Machine } from '../base/machine.ts'
import { prng } from '../base/prng.ts'
import { type Block, signBlock } from '../ledger/block.ts'
import { encodeLeaf } from '../ledger/leaf.ts'
import { ledgerMachine } from '../ledger/sealing.ts'
import { privacyParams } from './block-content.ts'
import { PARTICIPANTS_MAX } from './config.ts'
import { configOf, digestFor, participants, secretOf, TRAINING } from './learning.suite.ts'
import { parseBody } from './messages.ts'
import { aggregationMetrics } from './convergence.ts'
import { participantMachine } from './participant.ts'
import type { ParticipantEffect } from './participant-state.ts'
import { roundMachine } from './round.ts'
import { contributionReceived } from './round-contributions.ts'
import type { RoundEffect } from './round-state.ts'
import { expectedStages } from './stages.ts'
import { trainingMachine } from './training.ts'
import { MECHANISMS } from './mechanisms.ts'

const ORGANISATIONS = participants('org-a', 'org-b', 'org-c')

interface Job {
  readonly node: string
  readonly stream: string
  readonly effect:
    | RoundEffect
    | ParticipantEffect
    | {
        readonly type: 'propose-block'
        readonly id: string
        readonly block: Block
        readonly to: readonly OrganisationId[]
      }
    | { readonly type: 'publish-block' }
}

/** Which hub or organisation machine a stream belongs to; all events are JSON on their way. */
function machineOf(node: string, kind: string): Machine<unknown, unknown, Job['effect']> {
  const machines: Record<string, unknown> = {
    training: trainingMachine,
    round: roundMachine,
    ledger: ledgerMachine({ origin: 'test.example', hubSecret: secretOf('hub') }),
    participant:
      node === 'hub'
        ? undefined
        : participantMachine({
            accepts: ['plain'],
            mechanisms: MECHANISMS,
            requirePrivacy: false,
            organisation: node as OrganisationId,
          }),
  }
  return machines[kind] as Machine<unknown, unknown, Job['effect']>
}

/**
 * Hub and organisations over the pure machines alone: effects are carried out in an order drawn from the seed, some of
 * them twice, timers last. What a step refuses is dropped.
 */
function simulate(seed: string, strategy: string) {
  const random = prng(seed)
  const states = new Map<string, unknown>()
  const logs = new Map<string, unknown[]>()
  const blocks: Block[] = []
  const jobs: Job[] = []
  let now = 1_000

  function dispatch(node: string, stream: string, event: object): void {
    const key = `${node} ${stream}`
    const machine = machineOf(node, stream.split('/')[0] ?? '')
    const passed = JSON.parse(JSON.stringify(event)) as object
    let step: ReturnType<typeof machine.step>
    try {
      step = machine.step(states.get(key) ?? machine.initial(stream), passed)
    } catch {
      return
    }
    states.set(key, JSON.parse(JSON.stringify(step.state)))
    logs.set(key, [...(logs.get(key) ?? []), passed])
    for (const effect of step.effects) jobs.push({ node, stream, effect })
  }

  function perform({ node, stream, effect }: Job): void {
    const at = ++now
    switch (effect.type) {
      case 'dispatch':
        return dispatch(node, effect.stream, effect.event as object)
      case 'after':
        now = Math.max(now, effect.at)
        return dispatch(node, stream, effect.event as object)
      case 'announce':
        for (const to of effect.to)
          dispatch(to, `participant/${effect.announcement.round_id}`, {
            type: 'announced',
            announcement: effect.announcement,
            at,
          })
        return dispatch(node, stream, { type: 'announced', at })
      case 'train': {
        const update = { digest: digestOf([effect.baseModel, effect.seed]), size: 10 }
        const stages = expectedStages(effect.config)
        return dispatch(node, stream, {
          type: 'trained',
          update,
          sampleCount: node.length,
          stages,
          metrics: {},
          dataSources: [],
          at,
        })
      }
      case 'contribute': {
        const event = contributionReceived(
          parseBody('contribution', effect.body),
          node as OrganisationId,
          `${node}/${effect.roundId}`,
          at,
        )
        dispatch('hub', `round/${effect.roundId}`, event)
        return dispatch(node, stream, { type: 'contributed', at })
      }
      case 'aggregate': {
        const model = digestOf([
          effect.baseModel,
          effect.previousModel,
          effect.strategyState,
          effect.contributions.map((one) => one.update.digest),
        ])
        return dispatch(node, stream, {
          type: 'aggregated',
          model,
          strategyState: digestOf(['state', model]),
          normDifference: 1,
          gradientNorm: 1,
          convergence: 1,
          durationMs: random.below(100),
          at,
        })
      }
      case 'propose-block':
        for (const to of effect.to)
          dispatch(to, `participant/${effect.id}`, { type: 'proposal', id: effect.id, block: effect.block, at })
        return
      case 'sign-block': {
        const signature = signBlock(effect.block, secretOf(node))
        const { height, hash } = effect.block
        blocks.push(effect.block)
        dispatch('hub', 'ledger', {
          type: 'block-signed',
          id: effect.id,
          organisation: node,
          height,
          hash,
          signature,
          at,
        })
        return dispatch(node, stream, { type: 'block-signed', at })
      }
      case 'confirm-broadcast':
        return dispatch(node, stream, { type: 'broadcast', at })
      case 'publish-block':
      case 'notify-abandoned':
      case 'decline':
        return
    }
  }

  /** Timers fire when nothing else is left to do, the earliest first. */
  function next(): Job | undefined {
    const ready = jobs.filter(({ effect }) => effect.type !== 'after')
    const timers = jobs.flatMap((job) => (job.effect.type === 'after' ? [{ job, at: job.effect.at }] : []))
    const chosen = ready.length > 0 ? ready[random.below(ready.length)] : timers.toSorted((a, b) => a.at - b.at)[0]?.job
    if (chosen !== undefined && random.below(4) > 0) jobs.splice(jobs.indexOf(chosen), 1)
    return chosen
  }

  const config = configOf({ strategy: { name: strategy }, rounds: 3, round: { deadlineMs: 1_000_000 } })
  dispatch('hub', `training/${TRAINING}`, {
    type: 'training-started',
    trainingId: TRAINING,
    config,
    initialModel: digestFor('initial'),
    sealInitialModel: true,
    organisations: ORGANISATIONS,
    at: now,
  })
  for (let job = next(); job !== undefined; job = next()) perform(job)
  return { states, logs, blocks }
}

describe('a federation of the pure machines', () => {
  it('trains to the same model in whatever order effects are carried out, and however often', () => {
    const finalModel = (seed: string): unknown => simulate(seed, 'fedavg').states.get(`hub training/${TRAINING}`)
    const expected = finalModel('reference')
    expect(expected).toMatchObject({ phase: 'done', roundsFinished: 3 })
    const { model } = expected as { model: string }
    fc.assert(
      fc.property(fc.string(), (seed) => {
        expect(finalModel(seed)).toMatchObject({ phase: 'done', roundsFinished: 3, model })
      }),
      { numRuns: 30 },
    )
  })

  it('replays to the same states from its logs, at the hub and at every organisation', () => {
    const { states, logs } = simulate('replay', 'fedadam')
    expect(logs.size).toBe(1 + 1 + 3 + 9)
    for (const [key, events] of logs) {
      const [node = '', stream = ''] = key.split(' ')
      const machine = machineOf(node, stream.split('/')[0] ?? '')
      let state = machine.initial(stream)
      for (const event of events) state = machine.step(state, event).state
      expect(JSON.parse(JSON.stringify(state))).toEqual(states.get(key))
    }
  })

  it('every organisation signed every block, and every round of it is in the ledger', () => {
    const { states, blocks } = simulate('signed', 'fedprox')
    expect(states.get('hub ledger')).toMatchObject({ log: { size: 4 }, inFlight: null, queue: [] })
    for (const round of [1, 2, 3])
      for (const name of ['org-a', 'org-b', 'org-c'])
        expect(states.get(`${name} participant/t1-${round}`)).toMatchObject({ phase: 'signed' })
    expect(blocks[0]?.provenance.privacy_params).toEqual(privacyParams(configOf()))
  })

  it('the largest round fits into a leaf with all its signatures', () => {
    const [signed] = simulate('leaf', 'fedavg').blocks
    if (signed === undefined) throw new Error('no block')
    const names = Array.from({ length: PARTICIPANTS_MAX }, (_, i) => `${i}`.padStart(63, 'o'))
    const lines = names.map((name) => ({
      org_id: name as OrganisationId,
      sample_count: 1_000_000_000,
      contribution: signed.model_hash,
    }))
    const data_sources = Array.from({ length: 33 }, (_, i) => `${i}`.padStart(64, 's'))
    const training_config = { ...(signed.provenance.training_config as object), padding: 'p'.repeat(3_000) }
    const provenance = { ...signed.provenance, participants: lines, data_sources, training_config }
    const org_signatures = Object.fromEntries(names.map((name) => [name, 's'.repeat(86)]))
    const positions = names.map((_, i) => i)
    const aggregation_metrics = aggregationMetrics(1, [], {
      ...{ model: signed.model_hash, strategyState: null, normDifference: 1 / 3, gradientNorm: 1 / 3 },
      ...{ convergence: 1 / 3, durationMs: 1e9 },
      robust: {
        rule: 'geometric-median',
        leftOut: positions,
        clipped: positions,
        flagged: positions,
        against: positions,
      },
    })
    expect(() => encodeLeaf({ ...signed, provenance, org_signatures, aggregation_metrics })).not.toThrow()
  })
})
