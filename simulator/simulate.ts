/** One seed: the history that it stands for, and what the checkers say about it. */

import type { Kernels } from '../src/models/kernels/kernels.ts'
import { checkBudget } from './checkers/budget.ts'
import { checkCountedOnce } from './checkers/counted-once.ts'
import { checkDurable } from './checkers/durable.ts'
import { checkForgotten } from './checkers/forgotten.ts'
import { checkHidden } from './checkers/hidden.ts'
import { checkOneLedger } from './checkers/one-ledger.ts'
import { checkReproducible, createReference, type Reference } from './checkers/reproducible.ts'
import { runCluster, type Tampering } from './cluster.ts'
import { type Plan, planOf } from './plan.ts'
import { privatePlanOf } from './private-plan.ts'
import type { Run, Violation } from './run.ts'

export interface Report {
  readonly seed: string
  readonly plan: Plan
  readonly run: Run
  readonly traceHash: string
  readonly violations: readonly Violation[]
}

export type Simulate = (seed: string, options?: { readonly tampering?: Tampering }) => Promise<Report>

/** References for P7 are shared by the seeds of one simulator. */
export function createSimulator(kernels: Kernels): Simulate {
  const reference = createReference(kernels)
  return async (seed, { tampering } = {}) => {
    const plan = planOf(seed)
    const run = await runCluster({ plan, kernels, ...(tampering === undefined ? {} : { tampering }) })
    return { seed, plan, run, traceHash: run.scheduler.traceHash(), violations: await check(run, reference) }
  }
}

/**
 * The same with differential privacy and several trainings at once. Noise is drawn afresh in every run, and models of
 * concurrent trainings are interleaved, so P2 and P7 are not checked here.
 */
export function createPrivateSimulator(kernels: Kernels): Simulate {
  return async (seed, { tampering } = {}) => {
    const plan = privatePlanOf(seed)
    const run = await runCluster({ plan, kernels, ...(tampering === undefined ? {} : { tampering }) })
    const checked = [...checkDurable(run), ...checkOneLedger(run), ...checkBudget(run), ...checkForgotten(run)]
    const violations = [...checked, ...unfinishedIn(run)]
    return { seed, plan, run, traceHash: run.scheduler.traceHash(), violations }
  }
}

function unfinishedIn(run: Run): Violation[] {
  return run.unfinished.map((message) => ({ checker: 'progress', message: `after a quiet period, ${message}` }))
}

async function check(run: Run, reference: Reference): Promise<Violation[]> {
  return [
    ...checkDurable(run),
    ...checkCountedOnce(run),
    ...checkHidden(run),
    ...checkForgotten(run),
    ...checkOneLedger(run),
    ...(await checkReproducible(run, reference)),
    ...unfinishedIn(run),
  ]
}
