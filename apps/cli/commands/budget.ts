import { Command } from 'commander'
import type { DatasetStatement, Statement } from '../../../src/privacy/dp/statement.ts'
import { openControl } from '../../../src/node/control.ts'
import { OWN_DATA } from '../../../src/node/privacy-budget/privacy-budget.ts'
import { columns, print } from '../output.ts'
import { directoryOption, jsonOption, type NodeOptions } from './options.ts'

/** What the administrator set stands in entente.yaml; what is left is in the node's database. */
export function budgetCommand(): Command {
  return new Command('budget')
    .description('what the privacy budget still allows, by purpose; the node must be running')
    .option(
      '--dataset <name>',
      'own: the rows that are trained on | held-out: those that new models are tried on',
      OWN_DATA,
    )
    .addOption(directoryOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  $ entente org budget --dir bank-a')
    .action(async (options: NodeOptions & { readonly dataset: string }) => {
      const control = await openControl(options.dir)
      try {
        const path = `/privacy/privacy-budget?dataset=${encodeURIComponent(options.dataset)}`
        print((await control.get(path)) as SaidBudget, options, renderBudget)
      } finally {
        control.close()
      }
    })
}

/** As the node says it: `total_used` is null where no epsilon is enough for what was used. */
type Said<S extends Statement> = Omit<S, 'total_used'> & { readonly total_used: number | null }
type SaidBudget = Omit<Said<DatasetStatement>, 'purposes'> & {
  readonly purposes: readonly Said<DatasetStatement['purposes'][number]>[]
}

/** A purpose without a limit of its own has the limit of all. */
export function renderBudget({ purposes, ...whole }: SaidBudget): string {
  const rows = [{ ...whole, purpose: 'all' }, ...purposes]
  return columns([
    ['purpose', 'epsilon', 'used', 'left', 'delta left'],
    ...rows.map(({ purpose, limit, total_used: used, remaining_epsilon: left, remaining_delta: delta }) => [
      purpose,
      limit === null ? '-' : String(limit.epsilon),
      used?.toFixed(2) ?? 'no epsilon covers it',
      left.toFixed(2),
      delta.toExponential(1),
    ]),
  ]).trimEnd()
}
