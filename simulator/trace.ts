/** Histories for people. */

import { EPOCH_MS, type TraceLine } from './scheduler.ts'
import type { Report } from './simulate.ts'

const LINES_MAX = 120
/** What explains most violations: who died where, what was stored, what was refused. Polls and reads do not. */
const TELLING = /dies|starts|recovery|after commit: (?!done|value)|failed|refused|believed|conflict/

export function shown({ at, who, what }: TraceLine): string {
  return `${((at - EPOCH_MS) / 1000).toFixed(3).padStart(10)} s  ${who.padEnd(8)} ${what}`
}

/** The telling lines of a history, the last ones if there are many. */
export function excerptOf({ run }: Report): readonly TraceLine[] {
  return run.scheduler.lines.filter(({ what }) => TELLING.test(what)).slice(-LINES_MAX)
}
