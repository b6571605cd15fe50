/** The page bench/peers/results.md. */

import type { Timing } from '../measure.ts'
import type { Measured } from '../secagg/timing.ts'
import {
  bestRatio,
  type Comparison,
  type Contender,
  type Floor,
  type PhaseTable,
  type Ratio,
  type Results,
  timesOf,
} from './results.ts'

const digits = (value: number): string =>
  value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toPrecision(2)

const timing = ({ median, fastest, slowest, runs }: Timing): string =>
  runs === 1
    ? `${digits(median)} ms (one run)`
    : `${digits(median)} ms (${digits(fastest)}..${digits(slowest)}, ${runs} runs)`

const measured = ({ wall, processor }: Measured): string => `${timing(wall)} | ${digits(processor.median)} ms`

/** By the clock; then of the processor, which is steadier where others were on the machine, and counts all threads. */
function verdict(ratio: Ratio | undefined, aim: number): string {
  if (ratio === undefined) return 'not measured |'
  return `${digits(ratio.wall)}x, aim ${aim}x: ${ratio.wall >= aim ? 'met' : '**missed**'} | ${digits(ratio.processor)}x`
}

function rowOf({ what }: Comparison, who: string, { name, figure, peakMiB, note }: Contender): string {
  const memory = peakMiB === undefined ? '' : `${peakMiB.toFixed(0)} MiB`
  return `| ${what} | ${who}${name} | ${measured(figure)} | ${memory} | ${note ?? ''} |`
}

function comparisonTable(rows: readonly Comparison[]): string {
  const lines = rows.flatMap((row) => [
    ...row.ours.map((one) => rowOf(row, 'Entente, ', one)),
    ...row.peers.map((one) => rowOf(row, '', one)),
    `| ${row.what} | **times as fast** | ${verdict(bestRatio(row), row.aim ?? 1)} | | |`,
  ])
  return ['| | | by the clock | processor | most memory | |', '|---|---|---|---|---|---|', ...lines].join('\n')
}

function floorTable(floors: readonly Floor[]): string {
  const lines = floors.map((one) => {
    const times = timesOf(one)
    const figures = [one.work, one.floor].map((each) => timing(each[one.by]))
    return `| ${one.what} | ${one.by === 'wall' ? 'clock' : 'processor'} | ${figures.join(' | ')} | ${times.toFixed(2)}x, aim ${one.aim}x: ${times <= one.aim ? 'met' : '**missed**'} |`
  })
  return ['| | by | unmasking | floor | ratio |', '|---|---|---|---|---|', ...lines].join('\n')
}

function phases({ title, setting, phases: rows }: PhaseTable): string {
  const lines = rows.map(({ name, figure, bytes = '' }) => `| ${name} | ${measured(figure)} | ${bytes} |`)
  return `### ${title}\n\n${setting}\n\n| | by the clock | processor | bytes |\n|---|---|---|---|\n${lines.join('\n')}\n`
}

/** Whatever did not come up to its aim, by the clock. */
export function missedOf(results: Results): string[] {
  const comparisons = [
    ...results.secagg.flatMap(({ title, rows }) => rows.map((row) => ({ title, row }))),
    ...(results.robust?.rows ?? []).map((row) => ({ title: 'robust', row })),
  ]
  const slow = comparisons.flatMap(({ title, row }) => {
    const ratio = bestRatio(row)
    return ratio !== undefined && ratio.wall < (row.aim ?? 0)
      ? [
          `${title}: ${row.what}: ${digits(ratio.wall)}x instead of ${row.aim}x (${digits(ratio.processor)}x by processor time)`,
        ]
      : []
  })
  const above = results.floors.filter((one) => timesOf(one) > one.aim)
  return [...slow, ...above.map((one) => `${one.what}: ${timesOf(one).toFixed(2)}x the floor instead of ${one.aim}x`)]
}

export function page(results: Results): string {
  const missed = missedOf(results)
  const versions = Object.entries(results.versions).map(([name, version]) => `${name} ${version}`)
  const skipped =
    results.skipped === null ? '' : `\n**Without peers**: ${results.skipped}. Figures of peers are "not measured".\n`
  const robust =
    results.robust === null
      ? ''
      : `## Robust rules\n\n${results.robust.setting}. All have the vectors in memory before their time begins, but for ours "from a file", which shows
what the hub needs: one block of coordinates of all updates. NumPy and PyTorch take all processors where they can. Each is a
process of its own. Where a library has several ways, those are shown that came within 1.5 times its fastest at a first try.

${comparisonTable(results.robust.rows)}
`
  return `# Beside peers

Written by \`npm run bench:peers\` on ${results.at.slice(0, 10)}, in ${results.seconds.toFixed(0)} s. Contenders of one table ran in turn; medians, fastest..slowest.
Ratios are by the clock, the best of ours against the fastest peer.

- machine: ${results.machine}
- load: ${results.load[0].toFixed(1)} processes ready to run before, ${results.load[1].toFixed(1)} after; a quiet machine has 0 and 1 to 2
- versions: ${versions.join(', ')}
- seeds: ${results.seeds}
${skipped}
## Aims missed

${missed.length === 0 ? 'None.' : missed.map((line) => `- ${line}`).join('\n')}

## Secure aggregation

Flower's SecAgg+ is run without its network: the functions behind its client's \`secaggplus_mod\`, and the loops of its
\`SecAggPlusWorkflow\` over its own functions. Shares, thresholds and masks are as many on both sides. Ours checks signed keys
and the recovered secrets, and its masks come from AES-128 under 128-bit seeds; Flower's come from a Mersenne twister with a
32-bit seed.

${results.secagg.map(({ title, setting, rows }) => `### ${title}\n\n${setting}\n\n${comparisonTable(rows)}\n`).join('\n')}
### The primitive floor

As many bytes of keystream and as many additions, with nothing around them, in the same run.

${floorTable(results.floors)}

## Secure aggregation by its own policy, phase by phase

${results.phases.map(phases).join('\n')}
${robust}
## Not measured

- The network, disks, and the databases under the machines: both sides are called in memory, rules from a file read the page cache.
- Flower's Bulyan by repeated Krum (\`flwr.server.strategy\`), which takes minutes at this size; the one shown selects once.
- ByzFL's Krum over NumPy arrays (SciPy's distances), which takes far longer than over tensors.
`
}
