/**
 * `kill -9` at a transition of a round: a node is frozen when it is about to store an event, a process is killed, and everything
 * goes on. One federation serves all cases, each with a training of its own: the configuration, and with it every model, is the
 * same, and what an earlier training left in the blobs is removed. A case that fails leaves its federation behind, and the
 * next one gets a new one.
 */

import { expect } from 'vitest'
import type { TrainingConfig } from '../../src/learning/config.ts'
import type { TestFederation } from './federation.ts'
import { closeGate, type Transition } from './gate.ts'
import { forgetBlobs, type Outcome, outcomeOf, withoutMasks } from './outcome.ts'

export type Victim = 'hub' | 'organisation' | 'postgres'

export type Step = Omit<Transition, 'stream'> & {
  readonly phase: string
  readonly stream: (round: string) => string
}

export interface Case {
  /** Whose database the transition is in. */
  readonly at: 'hub' | 'organisation'
  readonly step: Step
  readonly victim: Victim
  readonly config: (federation: TestFederation) => TrainingConfig
}

export interface Killing {
  /** The federation, and what the training came to when nothing happened. Masks are drawn anew in each and left out. */
  undisturbed(config: Case['config']): Promise<{ readonly federation: TestFederation; readonly outcome: Outcome }>
  /** In round 1. @throws if a model is another then, or somebody was counted twice */
  kill(one: Case): Promise<void>
  close(): Promise<void>
}

export function prepareKilling(start: () => Promise<TestFederation>): Killing {
  let current: Promise<TestFederation> | undefined
  let outcomes = new Map<Case['config'], Promise<Outcome>>()
  let trainings = 0

  async function finished(federation: TestFederation, training: string, config: TrainingConfig): Promise<Outcome> {
    await federation.finish(training)
    const outcome = await outcomeOf(federation, training)
    return config.protection === 'plain' ? outcome : withoutMasks(outcome)
  }

  async function undisturbedRun(federation: TestFederation, config: TrainingConfig): Promise<Outcome> {
    const training = `undisturbed-${++trainings}`
    await federation.startTraining(training, config)
    return finished(federation, training, config)
  }

  const undisturbed: Killing['undisturbed'] = async (config) => {
    const federation = await (current ??= start())
    let outcome = outcomes.get(config)
    if (outcome === undefined) outcomes.set(config, (outcome = undisturbedRun(federation, config(federation))))
    return { federation, outcome: await outcome }
  }

  async function close(): Promise<void> {
    const closing = current
    current = undefined
    outcomes = new Map()
    await (await closing)?.close()
  }

  async function killOnce({ at, step, victim, config: configOf }: Case): Promise<void> {
    const { federation, outcome } = await undisturbed(configOf)
    const config = configOf(federation)
    const [organisation = ''] = federation.organisations
    const training = `killed-${++trainings}`
    const roundId = `${training}-1`
    await forgetBlobs(federation)
    const gate = await closeGate(federation.databaseUrl(at === 'hub' ? 'hub' : organisation), {
      ...step,
      stream: step.stream(roundId),
      containing: step.stream('') === step.stream(roundId) ? roundId : '',
    })
    await federation.startTraining(training, config)
    await gate.reached()
    const started = performance.now()
    if (victim === 'postgres') {
      await federation.killPostgres()
      await gate.open()
    } else {
      const node = victim === 'hub' ? 'hub' : organisation
      await federation.kill(node)
      await gate.open()
      await federation.start(node)
    }
    const after = await finished(federation, training, config)
    console.log(`${victim} killed, ${at}: ${step.phase}: done after ${Math.round(performance.now() - started)} ms`)
    expect(after).toEqual(outcome)
  }

  return {
    undisturbed,
    close,
    async kill(one) {
      try {
        await killOnce(one)
      } catch (error) {
        await close()
        throw error
      }
    },
  }
}
