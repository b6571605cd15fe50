import { Command } from 'commander'
import type { Block } from '../../../src/ledger/block.ts'
import { isWorthALook, type Reputation, reputationsAfter } from '../../../src/learning/robust/reputation.ts'
import { openLedger } from '../ledger-access.ts'
import { columns, print } from '../output.ts'
import { directoryOption, jsonOption, type NodeOptions } from './options.ts'

/** What the node in a directory can say of everybody from the blocks that it holds. */
export function reputationCommand(): Command {
  return new Command('reputation')
    .description('what the blocks say of each organisation, and why: from rounds in which a robust rule looked')
    .addOption(directoryOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  $ entente ledger reputation --dir bank-a')
    .action(async (options: NodeOptions) => {
      const source = await openLedger(options.dir)
      try {
        print(standings(await source.blocks(0)), options, table)
      } finally {
        source.close()
      }
    })
}

interface Standing extends Reputation {
  readonly organisation: string
  readonly worthALook: boolean
}

export function standings(blocks: readonly Block[]): Standing[] {
  return [...reputationsAfter(blocks)].map(([organisation, reputation]) => ({
    organisation,
    ...reputation,
    worthALook: isWorthALook(reputation),
  }))
}

export function table(all: readonly Standing[]): string {
  if (all.length === 0) return 'No robust rule has looked at any round (entente train start --robust RULE).'
  return [
    columns([
      ['organisation', 'reputation', 'rounds', 'signs', 'last sign'],
      ...all.map(({ organisation, score, rounds, reasons, worthALook }) => [
        organisation,
        `${score.toFixed(2)}${worthALook ? ' worth a look' : ''}`,
        String(rounds),
        String(reasons.length),
        reasons.length === 0 ? '-' : `${reasons.at(-1)?.sign} in ${reasons.at(-1)?.round}`,
      ]),
    ]),
    '',
    '0.5 = unknown. An organisation that alone sees an attack is far from the rest, too: nobody is excluded by this.',
  ].join('\n')
}
