/** One seed: the history that it stands for, and what the checkers say about it. */

import type { Kernels } from '../src/models/kernels/kernels.ts'
import { checkCountedOnce } from './checkers/counted-once.ts'
import { checkDurable } from './checkers/durable.ts'
import { checkHidden } from './checkers/hidden.ts'
import { checkOneLedger } from './checkers/one-ledger.ts'
import { checkReproducible, createReference, type Reference } from './checkers/reproducible.ts'
import { runCluster, type Tampering } from './cluster.ts'
import { type Plan, planOf } from './plan.ts'
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

async function check(run: Run, reference: Reference): Promise<Violation[]> {
  const unfinished = run.unfinished.map((message) => ({
    checker: 'progress',
    message: `after a quiet period, ${message}`,
  }))
  return [
    ...checkDurable(run),
    ...checkCountedOnce(run),
    ...checkHidden(run),
    ...checkOneLedger(run),
    ...(await checkReproducible(run, reference)),
    ...unfinished,
  ]
}
