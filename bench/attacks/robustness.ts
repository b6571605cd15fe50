/** Every rule under every attack: the tables of robustness. */

import type { Kernels } from '../../src/models/kernels/kernels.ts'
import type { Sheet } from '../models/results.ts'
import { ARMS, type Arm } from './arms.ts'
import { ATTACKS, BACKDOOR } from './attacks.ts'
import { createFederation, type Outcome } from './federation.ts'
import { makeProblem, ORGANISATIONS } from './problem.ts'

/** Twenty and forty per cent. */
export const LIARS = [3, 6]
export const NOBODY = 'nobody'

export interface RobustnessOptions {
  readonly kernels: Kernels
  readonly seed: string
  readonly sheet: Sheet
  /** Few of everything: keeps the bench alive. */
  readonly tiny: boolean
  progress(message: string): void
}

export const accuracyTable = (liars: number): string => `Robustness: accuracy, ${liars} of ${ORGANISATIONS} lie`
export const aucTable = (liars: number): string => `Robustness: stealthy AUC, ${liars} of ${ORGANISATIONS} lie`
export const BACKDOOR_TABLE = 'Robustness: marked attacks that pass for benign, backdoor'

export async function robustness(options: RobustnessOptions): Promise<void> {
  const { seed, kernels, progress, tiny } = options
  const problem = makeProblem(seed)
  const { run } = createFederation(kernels, problem.test.width)
  const arms = tiny ? ARMS.slice(0, 3) : ARMS
  const attacks = Object.entries(ATTACKS).slice(0, tiny ? 2 : undefined)
  for (const arm of arms) {
    progress(arm.name)
    // Told that a fifth lies while nobody does: what caution costs.
    const calm = await trial(arm, LIARS[0] ?? 0, (robust) => run({ problem, seed, attack: null, liars: 0, robust }))
    for (const liars of LIARS) {
      record(options, arm, liars, NOBODY, calm)
      for (const [name, attack] of attacks)
        record(
          options,
          arm,
          liars,
          name,
          await trial(arm, liars, (robust) => run({ problem, seed, attack, liars, robust })),
        )
    }
  }
}

async function trial(
  arm: Arm,
  liars: number,
  run: (robust: NonNullable<ReturnType<Arm['config']>>) => Promise<Outcome>,
): Promise<Outcome | null> {
  const robust = arm.config(liars, ORGANISATIONS)
  return robust === null ? null : run(robust)
}

function record({ sheet }: RobustnessOptions, arm: Arm, liars: number, attack: string, outcome: Outcome | null): void {
  sheet.record(accuracyTable(liars), arm.name, { [attack]: outcome?.accuracy ?? null })
  sheet.record(aucTable(liars), arm.name, { [attack]: outcome?.auc ?? null })
  if (attack === BACKDOOR)
    sheet.record(BACKDOOR_TABLE, arm.name, { [`${liars} of ${ORGANISATIONS}`]: outcome?.markedMissed ?? null })
  if (attack === NOBODY && liars === LIARS[0])
    sheet.record(BACKDOOR_TABLE, arm.name, { [NOBODY]: outcome?.markedMissed ?? null })
}
