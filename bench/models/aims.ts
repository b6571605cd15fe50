/** What the figures are meant to reach, and the published or earlier figure that they stand beside. */

interface Aim {
  readonly table: string
  readonly row: string
  readonly column: string
  readonly aim: string
}

const rows = (table: string, row: string, aims: Readonly<Record<string, string>>): Aim[] =>
  Object.entries(aims).map(([column, aim]) => ({ table, row, column, aim }))

const models = ['mlp', 'tgnn']

const AIMS: readonly Aim[] = [
  ...models.flatMap((model) => [
    ...rows(`DARPA, all labels (${model})`, 'federated', { AUC: '0.985', AP: '0.955', 'macro recall': '0.78' }),
    ...rows(`DARPA, skewed labels (${model})`, 'federated', { "others' recall": '0.99' }),
    ...rows(`DARPA, early labels (${model})`, 'federated', { 'triples AP': 'above the silo' }),
    ...rows(`DARPA, newcomer without positives of its own (${model})`, 'mean', {
      'federated AUC': '0.98',
      'federated AP': '0.96',
    }),
  ]),
  ...['any', 'standing'].flatMap((removal) =>
    rows(`Policy in the network of the challenge, removal ${removal}`, 'learned', { 'b-line': '-25', meander: '-30' }),
  ),
  ...['federated, labels alike (IID)', 'federated, labels skewed'].flatMap((row) =>
    rows('NSL-KDD, official split', row, {
      'KDDTest+ accuracy': '0.809',
      'KDDTest+ F1': '0.808',
      'KDDTest-21 accuracy': '0.637',
    }),
  ),
  ...rows('DARPA, nobody has labels: the whole stream', 'surge', { AUC: '0.91', AP: '0.73' }),
  ...rows('DARPA, nobody has labels: the whole stream', 'one bit + MIDAS-F', { AUC: '0.945', AP: '0.86' }),
]

export function aimOf(table: string, row: string, column: string): string | undefined {
  return AIMS.find((aim) => aim.table === table && aim.row === row && aim.column === column)?.aim
}
