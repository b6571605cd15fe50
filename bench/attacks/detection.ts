/** Whom the reports of a rule name, of those who lie and of those who do not. */

import { robustConfigSchema } from '../../src/learning/robust/config.ts'
import type { RobustReport } from '../../src/learning/robust/report.ts'
import { ATTACKS } from './attacks.ts'
import { createFederation } from './federation.ts'
import { makeProblem, ORGANISATIONS } from './problem.ts'
import { LIARS, NOBODY } from './robustness.ts'
import type { AttackContext } from './sections.ts'

const TABLE = 'Detection: share of updates that blocks name'

export async function detection({ seed, kernels, sheet, tiny, progress }: AttackContext): Promise<void> {
  const problem = makeProblem(seed)
  const { run } = createFederation(kernels, problem.test.width)
  const [liars = 0] = LIARS
  const robust = robustConfigSchema.parse({ rule: 'multi-krum', f: liars })
  const attacks = [[NOBODY, null] as const, ...Object.entries(ATTACKS).slice(0, tiny ? 2 : undefined)]
  for (const [name, attack] of attacks) {
    progress(name)
    const reports: RobustReport[] = []
    const lying = attack === null ? 0 : liars
    await run({ problem, seed, attack, liars: lying, robust, onReport: (report) => void reports.push(report) })
    sheet.record(TABLE, name, figuresOf(reports, lying))
  }
}

function figuresOf(reports: readonly RobustReport[], liars: number): Record<string, number | null> {
  const share = (of: (report: RobustReport) => readonly number[], isLiar: boolean): number | null => {
    const count = isLiar ? liars : ORGANISATIONS - liars
    const named = reports.flatMap(of).filter((position) => position < liars === isLiar).length
    return count === 0 ? null : named / (count * reports.length)
  }
  return {
    'liars far': share(({ flagged }) => flagged, true),
    'liars against': share(({ against = [] }) => against, true),
    'honest far': share(({ flagged }) => flagged, false),
    'honest against': share(({ against = [] }) => against, false),
  }
}
