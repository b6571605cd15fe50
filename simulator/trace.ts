/** Histories for people. */

import { EPOCH_MS, type TraceLine } from './scheduler.ts'
import type { Report } from './simulate.ts'

const LINES_MAX = 120
/** What explains most violations: who died, what was stored, answered, refused. Polls and reads do not. */
const TELLING =
  /dies|starts|recovery|after commit: (?!done|value|mail|envelope)|answers (?!poll)|failed|refused|believed|conflict/
/** Boundaries shown before each death: where it hit. */
const BEFORE_DEATH = 2

export function shown({ at, who, what }: TraceLine): string {
  return `${((at - EPOCH_MS) / 1000).toFixed(3).padStart(10)} s  ${who.padEnd(8)} ${what}`
}

/** The telling lines of a history about the parties that the violations name, the last ones if there are many. */
export function excerptOf({ run, plan, violations }: Report): readonly TraceLine[] {
  const said = violations.map(({ message }) => message).join()
  const named = plan.scenario.organisations.filter((organisation) => said.includes(organisation))
  const others = plan.scenario.organisations.filter((organisation) => named.length > 0 && !named.includes(organisation))
  const concerns = ({ who, what }: TraceLine) => !others.some((other) => who === other || what.endsWith(`of ${other}`))
  const lines = run.scheduler.lines.filter(concerns)
  const kept = new Set(lines.filter(({ what }) => TELLING.test(what)))
  for (const [i, line] of lines.entries())
    if (line.what === 'dies') for (const before of lastOf(lines, i)) kept.add(before)
  return lines.filter((line) => kept.has(line)).slice(-LINES_MAX)
}

/** The last boundaries that a node passed before line `i`. */
function lastOf(lines: readonly TraceLine[], i: number): readonly TraceLine[] {
  const { who } = lines[i] as TraceLine
  return lines
    .slice(Math.max(0, i - 200), i)
    .filter((line) => line.who === who)
    .slice(-BEFORE_DEATH)
}
