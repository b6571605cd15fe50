/** The checkers of runs in which whole organisations are protected; models differ from run to run, so none compares two. */

import type { Run, Violation } from '../run.ts'
import { checkBudget } from './budget.ts'
import { checkCountedOnce } from './counted-once.ts'
import { checkDurable } from './durable.ts'
import { checkHidden } from './hidden.ts'
import { checkOneLedger } from './one-ledger.ts'

const CHECKERS = [checkDurable, checkCountedOnce, checkHidden, checkOneLedger, checkBudget] as const

export const faultsWithNoise = (run: Run): Violation[] => CHECKERS.flatMap((check) => check(run))
