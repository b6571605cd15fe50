/** The audit as a section: what it says of the product's private training, and of two broken ones. */

import type { Cell } from '../../models/results.ts'
import { empiricalEpsilon, type Guesses } from '../../../test/attacks/audit.ts'
import { makeProblem } from '../problem.ts'
import type { AttackContext } from '../sections.ts'
import { audit, AUDITED, blackBoxAudit, CANARIES } from './audit.ts'
import type { Defect } from './private-runs.ts'

export const AUDIT_TABLE = `Audit: epsilon ${AUDITED.epsilon} claimed at delta ${AUDITED.delta}`
const TOGETHER = 'refuted by all seeds together'

export function audited({ seed, kernels, sheet, tiny, progress }: AttackContext): void {
  const record = (row: string, guesses: Guesses): void =>
    sheet.record(AUDIT_TABLE, row, {
      'epsilon refuted (95 %)': empiricalEpsilon(guesses, AUDITED.delta),
      'guesses right': guesses.right,
      'guesses': guesses.made,
      'canaries': guesses.canaries,
    })
  const options = { kernels, seed, canaries: tiny ? 400 : CANARIES }
  for (const defect of ['none', 'noise halved', 'clip not applied'] as const satisfies readonly Defect[]) {
    progress(defect)
    record(defect === 'none' ? 'as it is' : `broken: ${defect}`, audit(options, defect))
  }
  record('as it is, canaries like data, from outside', blackBoxAudit(options, makeProblem(seed)))
}

/**
 * A canary is in one run only, so all runs together are one mechanism with as many canaries and the same epsilon: their
 * guesses add up to a stronger audit.
 */
export function togetherLines(cells: readonly Cell[]): string[] {
  const own = cells.filter(({ table }) => table === AUDIT_TABLE)
  return [...new Set(own.map(({ row }) => row))].map((row) => {
    const sum = (column: string): number =>
      own
        .filter((cell) => cell.row === row && cell.column === column)
        .reduce((total, { value }) => total + (value ?? 0), 0)
    const guesses = { canaries: sum('canaries'), made: sum('guesses'), right: sum('guesses right') }
    const epsilon = empiricalEpsilon(guesses, AUDITED.delta)
    return `- ${row}: epsilon ${epsilon.toFixed(2)} ${TOGETHER} (${guesses.right} of ${guesses.made} guesses right)`
  })
}
