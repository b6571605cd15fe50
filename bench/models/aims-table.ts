/** Every aim beside the mean that was measured, met or missed by how much: computed, so that it cannot contradict the tables. */

import { aboveSilo, beside, held, type Lookup, lookupIn, shown } from './aims-verdicts.ts'
import type { Table } from './results.ts'

interface AimRow {
  readonly aim: string
  readonly of: (of: Lookup, model: string) => string
}

const ARMS = ['federated', 'personalised']

const DARPA: readonly AimRow[] = [
  ...ARMS.flatMap((arm): AimRow[] => {
    const table = (model: string): string => `DARPA, all labels (${model})`
    return [
      { aim: `all labels, ${arm}: AUC 0.985`, of: (of, model) => held(of(table(model), arm, 'AUC'), 0.985) },
      { aim: `all labels, ${arm}: AP 0.955`, of: (of, model) => held(of(table(model), arm, 'AP'), 0.955) },
      {
        aim: `all labels, ${arm}: macro recall 0.78; with own thresholds`,
        of: (of, model) =>
          `${held(of(table(model), arm, 'macro recall'), 0.78)}; ${shown(of(table(model), arm, 'macro recall, own thresholds'))}`,
      },
      {
        aim: `all labels, ${arm}: AP at least centralised's`,
        of: (of, model) => beside(of(table(model), arm, 'AP'), of(table(model), 'centralised', 'AP')),
      },
      {
        aim: `all labels, ${arm}: no organisation below its silo by more than 0.01 AUC`,
        of: (of, model) => aboveSilo(of, model, arm),
      },
      {
        aim: `skewed labels, ${arm}: recall of the others' families 0.99; on triples`,
        of: (of, model) =>
          `${held(of(`DARPA, skewed labels (${model})`, arm, "others' recall"), 0.99)}; ${shown(of(`DARPA, skewed labels (${model})`, arm, "triples others' recall"))}`,
      },
      {
        aim: `early labels, ${arm}: AP above the silo on rows; on triples`,
        of: (of, model) =>
          ['AP', 'triples AP']
            .map((column) =>
              beside(
                of(`DARPA, early labels (${model})`, arm, column),
                of(`DARPA, early labels (${model})`, 'silo', column),
              ),
            )
            .join('; '),
      },
    ]
  }),
  ...Object.entries({ AUC: 0.98, AP: 0.96 }).map(
    ([figure, least]): AimRow => ({
      aim: `newcomer, federated: ${figure} ${least}`,
      of: (of, model) =>
        held(of(`DARPA, newcomer without positives of its own (${model})`, 'mean', `federated ${figure}`), least),
    }),
  ),
]

const STREAM = 'DARPA, nobody has labels: the whole stream'
const NSL = { 'KDDTest+ accuracy': 0.809, 'KDDTest+ F1': 0.808, 'KDDTest-21 accuracy': 0.637 }
const GAME = 'Policy in the network of the challenge, removal'

const AWAY = 'Policy in networks that no organisation has'
const HOME = "Policy in the organisations' own networks"

/** Aims that have one figure. */
const OTHERS: readonly { readonly aim: string; readonly of: (of: Lookup) => string }[] = [
  ...Object.entries({ AUC: 0.91, AP: 0.73 }).map(([figure, least]) => ({
    aim: `DARPA, nobody has labels, without topology (surge): ${figure} ${least}`,
    of: (of: Lookup) => held(of(STREAM, 'surge', figure), least),
  })),
  ...Object.entries({ AUC: 0.945, AP: 0.86 }).map(([figure, least]) => ({
    aim: `DARPA, nobody has labels, own ranges known (one bit + MIDAS-F): ${figure} ${least}`,
    of: (of: Lookup) => held(of(STREAM, 'one bit + MIDAS-F', figure), least),
  })),
  ...['labels alike (IID)', 'labels skewed'].flatMap((labels) =>
    Object.entries(NSL).map(([figure, least]) => ({
      aim: `NSL-KDD, federated, ${labels}: ${figure} ${least}`,
      of: (of: Lookup) => held(of('NSL-KDD, official split', `federated, ${labels}`, figure), least),
    })),
  ),
  ...['any', 'standing'].flatMap((removal) =>
    Object.entries({ 'b-line': -25, meander: -30 }).map(([red, least]) => ({
      aim: `policy, removal ${removal}, against ${red}: ${least}`,
      of: (of: Lookup) => held(of(`${GAME} ${removal}`, 'learned', red), least, 1),
    })),
  ),
  {
    aim: 'policy, networks that nobody has: federated above local only (mean of 5)',
    of: (of) => beside(of(AWAY, 'federated', 'both'), of(AWAY, 'local only, mean of 5', 'both'), 1),
  },
  {
    aim: "policy, the organisations' own networks: federated above local only",
    of: (of) => beside(of(HOME, 'federated', 'own'), of(HOME, 'local only', 'own'), 1),
  },
]

const line = (...cells: readonly string[]): string => `| ${cells.join(' | ')} |`

/** Two Markdown tables: aims of both models, and aims of one figure. */
export function aimsMarkdown(tables: readonly Table[]): string {
  const of = lookupIn(tables)
  return [
    line('aim', 'perceptron', 'network'),
    '|---|---|---|',
    ...DARPA.map((row) => line(row.aim, row.of(of, 'mlp'), row.of(of, 'tgnn'))),
    '',
    line('aim', 'figure'),
    '|---|---|',
    ...OTHERS.map((row) => line(row.aim, row.of(of))),
    '',
  ].join('\n')
}
