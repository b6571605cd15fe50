/** DARPA-98 by organisation: all situations of one seed. */

import { join } from 'node:path'
import { createModel, type ThreatModelSpec } from '../../../src/models/model.ts'
import { DEFAULT_MLP, defaultModel } from '../../../src/node/default-model.ts'
import { featureNames } from '../../../src/telemetry/features.ts'
import type { Participant } from '../federation.ts'
import type { Section, SectionContext } from '../section.ts'
import { type Figures, othersFigures, pooledFigures, rankingFigures, recallByFamily } from './figures.ts'
import { writeMadeUpCapture } from './made-up.ts'
import { openOrganisation, type Organisation, STREAM_SCORERS } from './organisation.ts'
import { prepareSites, TRAIN_SHARE, timeAt } from './prepare.ts'
import { allLabels, earlyLabels, newcomer, type Situation, type SituationOptions, skewedLabels } from './situations.ts'
import { readStream } from './stream.ts'
import {
  type Arm,
  type ArmScores,
  type Bench,
  type Part,
  scoreArms,
  type Training,
  trainFederated,
  trainSituation,
} from './supervised.ts'
import { unsupervised } from './unsupervised.ts'

const ALL_ARMS: readonly Arm[] = ['silo', 'federated', 'fine-tuned', 'personalised', 'centralised']
/** A fine-tuned head is what a personalised model was before; it is kept where all labels are known, for comparison. */
const ARMS: readonly Arm[] = ['silo', 'federated', 'personalised', 'centralised']
/** Organisations that have stealthy attacks of their own in the test: the newcomers of the notes on the data. */
const NEWCOMERS = ['a', 'b', 'c', 'f']

/** Chosen on ticks 40 to 70 % after training on the first 40 %, seed 1; see docs/benchmarks.md. */
const PERCEPTRON: Training = {
  rounds: 40,
  rowsPerRound: 12_500,
  epochs: 10,
  rowsMax: 50_000,
  batchSize: 1024,
  learningRate: 3e-3,
  headEpochs: 10,
  headRate: 1e-3,
}
/** Half the rounds and rows, so that a seed of all situations stays within a quarter of an hour of one core. */
const NETWORK: Training = { ...PERCEPTRON, rounds: 20, rowsMax: 25_000 }
/** For the test that keeps this bench alive. */
const TINY: Partial<Training> = { rounds: 1, rowsPerRound: 100, epochs: 1, rowsMax: 200, headEpochs: 1 }

/** Parts of the section: each can be run by itself as `darpa/<part>`. */
export const DARPA_PARTS: Readonly<Record<string, Section>> = {
  labels: withCapture((context, capture) => onFeatures(context, capture, (bench) => labelled(bench, context))),
  skewed: withCapture((context, capture) => onFeatures(context, capture, (bench) => skewed(bench, context))),
  early: withCapture((context, capture) => onFeatures(context, capture, (bench) => early(bench, context))),
  ...Object.fromEntries(
    NEWCOMERS.map((id) => [
      `newcomer-${id}`,
      withCapture((context, capture) => onFeatures(context, capture, (bench) => welcomed(bench, context, id))),
    ]),
  ),
  logistic: withCapture(async (context, capture) => {
    if (context.model !== 'mlp') return context.skip('logistic regression stands beside the perceptron')
    const spec = { ...DEFAULT_MLP, hidden: [] }
    await withOrganisations(context, capture, spec, false, (bench) => plain(bench, context, 'logistic regression'))
  }),
  identity: withCapture(async (context, capture) => {
    if (context.model !== 'mlp') return context.skip('only the perceptron is measured with identity features')
    const spec = { ...DEFAULT_MLP, inputs: featureNames({ identity: true }).length }
    await withOrganisations(context, capture, spec, true, (bench) => plain(bench, context, 'with identity features'))
  }),
  surprise: withCapture((context, capture) => onFeatures(context, capture, (bench) => surprise(bench, context))),
  stream: withCapture(async ({ model, seed, sheet, progress, skip }, capture) => {
    if (model !== 'mlp') return skip('scorers without training are measured once, with --model mlp')
    unsupervised(await readStream(capture), seed, sheet, progress)
  }),
}

function withCapture(section: (context: SectionContext, capture: string) => Promise<void>): Section {
  return async (context) => {
    const capture = context.tiny
      ? writeMadeUpCapture(join(context.cache, 'made-up.csv'))
      : context.shared('data/darpa98/darpa_original.zip')
    if (capture === undefined) return context.skip('../shared/data/darpa98 is not there')
    await section(context, capture)
  }
}

function onFeatures(context: SectionContext, capture: string, work: (bench: Bench) => Promise<void>): Promise<void> {
  return withOrganisations(context, capture, defaultModel(context.model), false, work)
}

async function withOrganisations(
  context: SectionContext,
  capture: string,
  spec: ThreatModelSpec,
  identity: boolean,
  work: (bench: Bench) => Promise<void>,
): Promise<void> {
  const { seed, kernels, cache, progress } = context
  progress('data sets')
  const training = { ...(context.model === 'mlp' ? PERCEPTRON : NETWORK), ...(context.tiny ? TINY : {}) }
  const { sites, ticks } = await prepareSites({ capture, seed, identity, cache })
  const organisations: Organisation[] = []
  try {
    for (const site of sites) organisations.push(await openOrganisation(site, { spec, ticks, floodRowsMax: 2000 }))
    await work({ spec, kernels, organisations, training, ticks, seed, onProgress: progress })
  } finally {
    for (const organisation of organisations) await organisation.close()
  }
}

function optionsOf({ organisations, ticks }: Bench): SituationOptions {
  const counts = new Map(organisations.map(({ id, familyCounts }) => [id, familyCounts(timeAt(TRAIN_SHARE, ticks))]))
  return { ticks, organisations: organisations.map(({ id }) => id), familyCounts: (id) => counts.get(id) ?? {} }
}

/** Trains the arms, and scores the test slices of all organisations or of those named. */
async function measured(
  bench: Bench,
  situation: Situation,
  arms: readonly Arm[] = ARMS,
  of: readonly string[] = bench.organisations.map(({ id }) => id),
): Promise<ArmScores> {
  const trained = await trainSituation(bench, situation, arms)
  return scoreArms({ ...bench, organisations: bench.organisations.filter(({ id }) => of.includes(id)) }, trained)
}

async function labelled(bench: Bench, context: SectionContext): Promise<void> {
  const situation = allLabels(optionsOf(bench))
  const arms = await measured(bench, situation, ALL_ARMS)
  recordSituation(situation, arms, context)
  recordOrganisations(arms, context)
  recordFamilies(arms, bench.organisations, context)
  recordBaselines(bench.organisations, context)
}

async function skewed(bench: Bench, context: SectionContext): Promise<void> {
  const situation = skewedLabels(optionsOf(bench))
  recordSituation(situation, await measured(bench, situation), context)
}

async function early(bench: Bench, context: SectionContext): Promise<void> {
  const situation = earlyLabels(optionsOf(bench))
  recordSituation(situation, await measured(bench, situation), context)
}

/** All labels, for a model beside the one that is measured in every situation. */
async function plain(bench: Bench, { sheet }: SectionContext, title: string): Promise<void> {
  const arms = await measured(bench, allLabels(optionsOf(bench)))
  for (const [arm, parts] of withZeroes(arms)) sheet.record(`DARPA, all labels, ${title}`, arm, pooledFigures(parts))
}

const titled = (context: SectionContext, title: string): string => `DARPA, ${title} (${context.model})`

function recordSituation({ name, knowledge }: Situation, arms: ArmScores, context: SectionContext): void {
  const known = Object.values(knowledge).flatMap(({ families }) => (families === 'all' ? [] : families))
  const othersOf = (id: string): string[] => known.filter((family) => knowledge[id]?.families.includes(family) !== true)
  for (const [arm, parts] of withZeroes(arms)) {
    const others =
      known.length === 0 ? {} : othersFigures(parts.map((part) => ({ ...part, others: othersOf(part.id) })))
    context.sheet.record(titled(context, name), arm, { ...pooledFigures(parts), ...others })
  }
}

/** Who has no attack to learn from has no model of its own: its rows score zero, the logit of not knowing. */
function withZeroes(arms: ArmScores): [Arm, Part[]][] {
  return ALL_ARMS.flatMap((arm): [Arm, Part[]][] => {
    const parts = arms[arm]
    const missing = ({ id, slice }: Part): Part =>
      parts?.find((part) => part.id === id) ?? { id, slice, scores: new Float32Array(slice.rows.length) }
    return parts === undefined ? [] : [[arm, (arms.federated ?? []).map(missing)]]
  })
}

function recordOrganisations(arms: ArmScores, context: SectionContext): void {
  for (const part of arms.federated ?? []) {
    const figures: Record<string, number | null> = {}
    for (const arm of ALL_ARMS) {
      const own = arms[arm]?.find(({ id }) => id === part.id)
      const { AUC = null, AP = null } = own === undefined ? {} : rankingFigures(own)
      figures[`${arm} AUC`] = AUC
      figures[`${arm} AP`] = AP
    }
    context.sheet.record(titled(context, 'all labels by organisation'), part.id.toUpperCase(), figures)
  }
}

function recordFamilies(arms: ArmScores, organisations: readonly Organisation[], context: SectionContext): void {
  const table = titled(context, 'recall per attack at 1 % false positives, all labels')
  const recalls: Record<string, Record<string, number>> = Object.fromEntries(
    withZeroes(arms).map(([arm, parts]) => [arm, recallByFamily(parts)]),
  )
  recalls['MIDAS-F'] = recallByFamily(baselineParts(organisations, 'MIDAS-F'))
  for (const family of Object.keys(recalls['MIDAS-F'])) {
    const columns = Object.entries(recalls).map(([scorer, of]): [string, number | null] => [scorer, of[family] ?? null])
    context.sheet.record(table, family, Object.fromEntries(columns))
  }
}

/** The newcomer's figures on its own test slice; the page adds the mean over newcomers. */
async function welcomed(bench: Bench, context: SectionContext, id: string): Promise<void> {
  const situation = newcomer(optionsOf(bench), id)
  const arms = await measured(bench, situation, ['federated'], [id])
  const without = baselineParts(bench.organisations, 'MIDAS-F').find((part) => part.id === id)
  const [federated] = arms.federated ?? []
  if (federated === undefined || without === undefined) return
  const figures = {
    ...prefixed('federated', rankingFigures(federated)),
    ...prefixed('MIDAS-F', rankingFigures(without)),
  }
  context.sheet.record(titled(context, 'newcomer without positives of its own'), id.toUpperCase(), figures)
}

/** The network as a link predictor, trained together without any label: its surprise on the test slices. */
async function surprise(bench: Bench, { model: kind, sheet, skip }: SectionContext): Promise<void> {
  if (kind !== 'tgnn') return skip('only the temporal graph network predicts links')
  const model = createModel(bench.spec, bench.kernels)
  const participants: Participant[] = []
  for (const { id, linkTraining } of bench.organisations)
    participants.push({ id, data: await linkTraining(timeAt(TRAIN_SHARE, bench.ticks), bench.training.rowsMax) })
  const parameters = await trainFederated(bench, model, 'links', participants, 'link')
  const parts: Part[] = []
  for (const { id, slice, readTest } of bench.organisations) {
    const scores = new Float32Array(slice.rows.length)
    await readTest((rows, from, count) => scores.set(model.score(parameters, rows, count, 'link'), from))
    parts.push({ id, slice, scores })
  }
  sheet.record('DARPA, test part without labels', 'link surprise, federated', pooledFigures(parts))
}

function prefixed(prefix: string, figures: Figures): Figures {
  return Object.fromEntries(Object.entries(figures).map(([name, value]) => [`${prefix} ${name}`, value]))
}

function baselineParts(organisations: readonly Organisation[], name: string): Part[] {
  return organisations.map(({ id, slice, baselines }) => ({
    id,
    slice,
    scores: baselines()[name] ?? new Float32Array(slice.rows.length),
  }))
}

/** Without labels, each organisation over its own stream, on the same test rows. */
function recordBaselines(organisations: readonly Organisation[], { sheet }: SectionContext): void {
  for (const { name } of STREAM_SCORERS)
    sheet.record('DARPA, test part without labels', name, pooledFigures(baselineParts(organisations, name)))
}
