/**
 * Link prediction on UCI messages and Bitcoin trust: the last 15 % of the events, each against one historical and one
 * random negative (Poursafaei et al. 2022). Higher = likelier to be real; figures are of telling real from made up.
 */

import { prng } from '../../../src/base/prng.ts'
import { createEdgeBank } from '../../../src/models/baselines/edge-bank.ts'
import { createPairCounts } from '../../../src/models/baselines/pair-frequency.ts'
import { rankingFigures } from '../../../src/models/metrics.ts'
import { createModel } from '../../../src/models/model.ts'
import { DEFAULT_TGNN } from '../../../src/node/default-model.ts'
import type { Section, SectionContext } from '../section.ts'
import { type LinkEvent, negativeSampler, type Question, readEvents, TEST_SHARE, TRAIN_SHARE, walk } from './events.ts'
import { candidateRows, trainLinks } from './network.ts'

const SETS = [
  { part: 'uci', name: 'UCI messages', file: 'uci.gz' },
  { part: 'bitcoin-otc', name: 'Bitcoin OTC', file: 'soc-sign-bitcoinotc.csv.gz' },
  { part: 'bitcoin-alpha', name: 'Bitcoin Alpha', file: 'soc-sign-bitcoinalpha.csv.gz' },
] as const

const TRAINING = { epochs: 5, batchSize: 256, learningRate: 1e-3 }

export const LINKS_PARTS: Readonly<Record<string, Section>> = Object.fromEntries(
  SETS.map((set) => [set.part, (context: SectionContext) => links(context, set)]),
)

async function links(context: SectionContext, { name, file }: (typeof SETS)[number]): Promise<void> {
  const path = context.shared(`data/temporal-graph/${file}`)
  if (path === undefined) return context.skip(`../shared/data/temporal-graph/${file} is not there`)
  const all = await readEvents(path)
  const events = context.tiny ? all.slice(0, 2000) : all
  const [train, test] = [TRAIN_SHARE, TEST_SHARE].map((share) => Math.floor(events.length * share)) as [number, number]
  const { below } = prng(`links/${name}/${context.seed}`)
  const sampler = negativeSampler(events, events.slice(0, train), below)
  const questions = events
    .slice(test)
    .map((event): Question => ({ event, negatives: [sampler.historical(event), sampler.random(event)] }))
  const record = (row: string, scores: Float32Array): void =>
    context.sheet.record(`Links, ${name}`, row, figuresOf(scores))
  const duration = (events.at(-1)?.time ?? 0) - (events[test]?.time ?? 0)
  record('EdgeBank, unlimited', bankScores(events, questions, Infinity))
  record('EdgeBank, window of the test', bankScores(events, questions, duration))
  record('pair frequency', frequencyScores(events, questions))
  record('recent activity of both ends', recencyScores(events, questions))
  context.progress(`${name}: network`)
  record('temporal graph network', networkScores(context, events, events.slice(0, train), questions))
}

/** Scores come as real, historical, random; ... */
function figuresOf(scores: Float32Array): Record<string, number | null> {
  const figures: Record<string, number | null> = {}
  for (const [i, kind] of ['historical', 'random'].entries()) {
    const pairs = scores.filter((_, at) => at % 3 === 0 || at % 3 === i + 1)
    const labels = Uint8Array.from(pairs, (_, at) => 1 - (at % 2))
    const { ap, auc } = rankingFigures(pairs, labels)
    figures[`AP, ${kind} negatives`] = ap
    figures[`AUC, ${kind} negatives`] = auc
  }
  return figures
}

/** Score of each candidate by what came before its event. */
function streamed(
  events: readonly LinkEvent[],
  questions: readonly Question[],
  score: (candidate: LinkEvent) => number,
  learn: (event: LinkEvent) => void,
): Float32Array {
  const scores: number[] = []
  walk(events, questions, (candidate) => scores.push(score(candidate)), learn)
  return Float32Array.from(scores)
}

function bankScores(events: readonly LinkEvent[], questions: readonly Question[], window: number): Float32Array {
  const bank = createEdgeBank(window)
  return streamed(
    events,
    questions,
    ({ time, source, destination }) => (bank.expects(time, source, destination) ? 1 : 0),
    ({ time, source, destination }) => bank.remember(time, source, destination),
  )
}

function frequencyScores(events: readonly LinkEvent[], questions: readonly Question[]): Float32Array {
  const counts = createPairCounts()
  return streamed(
    events,
    questions,
    ({ source, destination }) => counts.count(source, destination),
    ({ source, destination }) => counts.add(source, destination),
  )
}

/** Shares of the historical negatives are of nodes that fell silent: what the time since both ends were seen tells alone. */
function recencyScores(events: readonly LinkEvent[], questions: readonly Question[]): Float32Array {
  const last = new Map<number, number>()
  const age = (node: number, time: number): number => Math.log1p(time - (last.get(node) ?? 0))
  return streamed(
    events,
    questions,
    ({ time, source, destination }) => -age(source, time) - age(destination, time),
    ({ time, source, destination }) => {
      last.set(source, time)
      last.set(destination, time)
    },
  )
}

/** Trained on the first 70 %, each event against a historical or a random negative in turn. */
function networkScores(
  { seed, kernels, tiny }: SectionContext,
  events: readonly LinkEvent[],
  training: readonly LinkEvent[],
  questions: readonly Question[],
): Float32Array {
  const model = createModel(DEFAULT_TGNN, kernels)
  const sampler = negativeSampler(events, training, prng(`links/training/${seed}`).below)
  const lessons = training.map(
    (event, i): Question => ({
      event,
      negatives: [i % 2 === 0 ? sampler.historical(event) : sampler.random(event)],
    }),
  )
  const options = { ...TRAINING, epochs: tiny ? 1 : TRAINING.epochs, seed }
  const parameters = trainLinks(model, candidateRows(events, lessons, DEFAULT_TGNN), options)
  const rows = candidateRows(events, questions, DEFAULT_TGNN)
  return model.score(parameters, rows, rows.length / model.inputs, 'link').map((surprise) => -surprise)
}
