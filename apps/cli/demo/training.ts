/** Starts the training at the hub and follows it to its end. */

import { setTimeout as sleep } from 'node:timers/promises'
import { fail } from '../../../src/base/errors.ts'
import type { TrainingConfig } from '../../../src/learning/config.ts'
import { dealtKey } from './deal-keys.ts'
import type { Federation } from './federation.ts'
import type { DemoOptions } from './options.ts'
import type { Say } from './progress.ts'
import type { OrganisationSummary, RoundSummary } from './report.ts'
import { demoConfig, learners } from './training-config.ts'

/** The same name in every run, so that the same seed gives the same model. */
const TRAINING_ID = 'demo'
/** How often the bar is brought up to date; nothing depends on it. */
const REFRESH_MS = 200

export interface FinishedTraining {
  readonly config: TrainingConfig
  readonly rounds: readonly RoundSummary[]
  /** SHA-256 of the last model's file. */
  readonly modelHash: string
}

/** @throws internal with the reason if the training did not finish */
export async function trainFederation(
  federation: Federation,
  orgs: readonly OrganisationSummary[],
  options: DemoOptions,
  say: Say,
): Promise<FinishedTraining> {
  const config = demoConfig(learners(orgs), options, await dealtKey(federation))
  await federation.operator.startTraining({ config, trainingId: TRAINING_ID })
  for (;;) {
    const training = await federation.operator.training(TRAINING_ID)
    const { rounds, rounds_finished: finished } = training
    say(`round ${Math.min(finished + 1, rounds)} of ${rounds}`, finished / rounds)
    if (training.phase === 'done')
      return { config, modelHash: training.model, rounds: await roundsOf(federation, training.round) }
    if (training.phase === 'failed' || training.phase === 'stopped')
      fail(
        'internal',
        `the training ${training.phase}: ${training.reason ?? 'no reason given'}; the logs of the processes are in ${federation.directory}`,
      )
    await sleep(REFRESH_MS)
  }
}

/** Those that made a model: one that somebody declined is made up for by another. */
async function roundsOf(federation: Federation, last: number): Promise<RoundSummary[]> {
  const summaries: RoundSummary[] = []
  for (let round = 1; round <= last; round++) {
    const record = await federation.operator.round(`${TRAINING_ID}-${round}`)
    if (record.phase === 'abandoned') continue
    summaries.push({
      round,
      participants: record.submitted.length,
      durationMs: (record.ended_at ?? record.opened_at) - record.opened_at,
      normDifference: record.metrics?.norm_difference ?? Number.NaN,
      gradientNorm: record.metrics?.gradient_norm ?? Number.NaN,
      convergenceRate: record.metrics?.convergence_rate ?? Number.NaN,
    })
  }
  return summaries
}
