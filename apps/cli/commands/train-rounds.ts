import { Command } from 'commander'
import { EntenteError } from '../../../src/base/errors.ts'
import type { TrainingId } from '../../../src/base/ids.ts'
import { roundIdOf } from '../../../src/learning/block-content.ts'
import { openOperator } from '../../../src/node/operator.ts'
import type { RoundView } from '../../../src/node/views.ts'
import { columns, print } from '../output.ts'
import { directoryOption, jsonOption, type NodeOptions } from './options.ts'

/** The last ones: a training may have thousands. */
const ROUNDS_SHOWN = 50

const HELP = `
Whoever is named dealt or revealed false shares, or opened a sum falsely. Where a dealer and a holder of a share contradict
each other and nothing else tells who lied, both are shown as a dispute. Nobody is excluded by it: "entente org remove" is yours.

Example:
  $ entente train rounds t-0a1b2c3d4e --dir hub`

export function roundsCommand(): Command {
  return new Command('rounds')
    .description(`the last ${ROUNDS_SHOWN} rounds of a training: how each ended, and who is named for spoiling it`)
    .argument('<training>')
    .addOption(directoryOption())
    .addOption(jsonOption())
    .addHelpText('after', HELP)
    .action(async (id: string, options: NodeOptions) => {
      const operator = await openOperator(options.dir)
      try {
        const { round: last } = await operator.training(id)
        const first = Math.max(1, last - ROUNDS_SHOWN + 1)
        const numbers = Array.from({ length: last - first + 1 }, (_, i) => first + i)
        const found = await Promise.all(
          numbers.map((number) => operator.round(roundIdOf(id as TrainingId, number)).catch(unlessUnknown)),
        )
        print(
          found.filter((round) => round !== undefined),
          options,
          renderRounds,
        )
      } finally {
        operator.close()
      }
    })
}

/** Its opening is on its way. */
function unlessUnknown(error: unknown): undefined {
  if (!(error instanceof EntenteError && error.code === 'unknown-round')) throw error
}

export function renderRounds(rounds: readonly RoundView[]): string {
  const rows = rounds.map((round) => [
    round.round_id,
    round.phase,
    `${round.submitted.length}/${round.participants.length}`,
    [round.reason, ...namedIn(round)].filter((part) => part !== null).join('; '),
  ])
  return columns([['round', 'phase', 'took part', ''], ...rows]).trimEnd()
}

function namedIn({ blamed = [], disputed = [] }: RoundView): string[] {
  return [
    ...(blamed.length === 0 ? [] : [`false shares: ${blamed.join(', ')}`]),
    ...disputed.map(({ dealer, holder }) => `${dealer} or ${holder} lied about a share`),
  ]
}
