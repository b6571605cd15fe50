/** DARPA-98 by organisation: all situations of one seed. */

import type { ThreatModelSpec } from '../../../src/models/model.ts'
import { DEFAULT_MLP, defaultModel } from '../../../src/node/default-model.ts'
import { featureNames } from '../../../src/telemetry/features.ts'
import type { SectionContext } from '../section.ts'
import { type Figures, othersFigures, pooledFigures, rankingFigures, recallByFamily, type Scored } from './figures.ts'
import { openOrganisation, type Organisation, STREAM_SCORERS } from './organisation.ts'
import { prepareSites, TRAIN_SHARE, timeAt } from './prepare.ts'
import { allLabels, earlyLabels, newcomer, type Situation, skewedLabels } from './situations.ts'
import { readStream } from './stream.ts'
import { type Arm, type Bench, scoreAll, type ScoredArms, type Training, trainSituation } from './supervised.ts'
import { unsupervised } from './unsupervised.ts'

const ALL_ARMS: readonly Arm[] = ['silo', 'federated', 'personalised', 'centralised']
/** Organisations that have stealthy attacks of their own in the test: the newcomers of the notes on the data. */
const NEWCOMERS = ['a', 'b', 'c', 'f']

const TRAINING: Training = {
  rounds: 10,
  batchSize: 1024,
  learningRate: 3e-3,
  rowsMax: 50_000,
  headEpochs: 2,
  headRate: 1e-3,
}

export async function darpa(context: SectionContext): Promise<void> {
  const capture = context.shared('data/darpa98/darpa_original.zip')
  if (capture === undefined) return context.skip('../shared/data/darpa98 is not there')
  await withOrganisations(context, capture, defaultModel(context.model), false, async (bench) => {
    await supervised(bench, context)
    baselines(bench.organisations, context)
  })
  if (context.model !== 'mlp') return
  await withOrganisations(context, capture, { ...DEFAULT_MLP, hidden: [] }, false, (bench) =>
    oneSituation(bench, context, 'logistic regression'),
  )
  const inputs = featureNames({ identity: true }).length
  await withOrganisations(context, capture, { ...DEFAULT_MLP, inputs }, true, (bench) =>
    oneSituation(bench, context, 'with identity features'),
  )
  unsupervised(await readStream(capture), context.seed, context.sheet, context.progress)
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
  const sites = await prepareSites({ capture, seed, identity, cache })
  const organisations: Organisation[] = []
  try {
    for (const site of sites)
      organisations.push(await openOrganisation(site, { spec, rowsMax: TRAINING.rowsMax, floodRowsMax: 2000 }))
    await work({ spec, kernels, organisations, training: TRAINING, seed, onProgress: progress })
  } finally {
    for (const organisation of organisations) await organisation.close()
  }
}

async function supervised(bench: Bench, context: SectionContext): Promise<void> {
  const counts = new Map(bench.organisations.map(({ id, familyCounts }) => [id, familyCounts(timeAt(TRAIN_SHARE))]))
  const options = {
    organisations: bench.organisations.map(({ id }) => id),
    familyCounts: (id: string) => counts.get(id) ?? {},
  }
  const situations = [allLabels(options), skewedLabels(options), earlyLabels(options)]
  const newcomers = NEWCOMERS.map((id) => newcomer(options, id))
  const trained = []
  for (const situation of situations) trained.push(await trainSituation(bench, situation, ALL_ARMS))
  for (const situation of newcomers) trained.push(await trainSituation(bench, situation, ['federated']))
  const scored = await scoreAll(bench, trained)
  for (const situation of situations) recordSituation(situation, scored, context)
  recordOrganisations(scored, context)
  recordFamilies(scored, bench.organisations, context)
  recordNewcomers(scored, bench.organisations, context)
}

const titled = (context: SectionContext, title: string): string => `DARPA, ${title} (${context.model})`

function recordSituation({ name, knowledge }: Situation, scored: ScoredArms, context: SectionContext): void {
  const othersOf = (id: string): string[] => {
    const own = knowledge[id]?.families
    const all = Object.entries(knowledge).flatMap(([, { families }]) => (families === 'all' ? [] : families))
    return own === 'all' ? [] : [...new Set(all)].filter((family) => own?.includes(family) !== true)
  }
  const skewed = Object.values(knowledge).some(({ families }) => families !== 'all')
  for (const arm of ALL_ARMS) {
    const parts = withZeroes(scored.get(name)?.[arm], scored.get(name)?.federated)
    if (parts === undefined) continue
    const others = skewed ? othersFigures(parts.map((part) => ({ ...part, others: othersOf(part.id) }))) : {}
    context.sheet.record(titled(context, name), arm, { ...pooledFigures(parts), ...others })
  }
}

type Part = Scored & { readonly id: string }

/** Who has no attack to learn from has no model of its own: its rows score zero, the logit of not knowing. */
function withZeroes(parts: readonly Part[] | undefined, everyone: readonly Part[] | undefined): Part[] | undefined {
  if (parts === undefined || everyone === undefined) return undefined
  return everyone.map(
    ({ id, slice }) =>
      parts.find((part) => part.id === id) ?? { id, slice, scores: new Float32Array(slice.rows.length) },
  )
}

function recordOrganisations(scored: ScoredArms, context: SectionContext): void {
  const arms = scored.get('all labels') ?? {}
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

function recordFamilies(scored: ScoredArms, organisations: readonly Organisation[], context: SectionContext): void {
  const table = titled(context, 'recall per attack at 1 % false positives, all labels')
  const arms = scored.get('all labels') ?? {}
  const recalls: Record<string, Record<string, number>> = {}
  for (const arm of ALL_ARMS) recalls[arm] = recallByFamily(arms[arm] ?? [])
  recalls['MIDAS-F'] = recallByFamily(baselineParts(organisations, 'MIDAS-F'))
  for (const family of Object.keys(recalls['MIDAS-F'] ?? {})) {
    const columns = Object.entries(recalls).map(([scorer, of]): [string, number | null] => [scorer, of[family] ?? null])
    context.sheet.record(table, family, Object.fromEntries(columns))
  }
}

/** Each newcomer's figures on its own test slice, and their mean. */
function recordNewcomers(scored: ScoredArms, organisations: readonly Organisation[], context: SectionContext): void {
  const table = titled(context, 'newcomer without positives of its own')
  const all: Record<string, (number | null)[]> = {}
  for (const id of NEWCOMERS) {
    const federated = scored.get(`newcomer ${id}`)?.federated?.find((part) => part.id === id)
    const without = baselineParts(organisations, 'MIDAS-F').find((part) => part.id === id)
    if (federated === undefined || without === undefined) continue
    const figures = {
      ...prefixed('federated', rankingFigures(federated)),
      ...prefixed('MIDAS-F', rankingFigures(without)),
    }
    for (const [column, value] of Object.entries(figures)) all[column] = [...(all[column] ?? []), value]
    context.sheet.record(table, id.toUpperCase(), figures)
  }
  const means = Object.entries(all).map(([column, values]): [string, number] => [
    column,
    values.reduce<number>((sum, value) => sum + (value ?? 0), 0) / values.length,
  ])
  context.sheet.record(table, 'mean', Object.fromEntries(means))
}

function prefixed(prefix: string, figures: Figures): Figures {
  return Object.fromEntries(Object.entries(figures).map(([name, value]) => [`${prefix} ${name}`, value]))
}

function baselineParts(organisations: readonly Organisation[], name: string): Part[] {
  return organisations.map(({ id, slice, baselines: of }) => ({
    id,
    slice,
    scores: of[name] ?? new Float32Array(slice.rows.length),
  }))
}

/** Without labels, each organisation over its own stream, on the same test rows. */
function baselines(organisations: readonly Organisation[], { sheet }: SectionContext): void {
  for (const { name } of STREAM_SCORERS)
    sheet.record('DARPA, test part without labels', name, pooledFigures(baselineParts(organisations, name)))
}

async function oneSituation(bench: Bench, { sheet }: SectionContext, title: string): Promise<void> {
  const situation = allLabels({ organisations: bench.organisations.map(({ id }) => id), familyCounts: () => ({}) })
  const scored = await scoreAll(bench, [await trainSituation(bench, situation, ALL_ARMS)])
  for (const arm of ALL_ARMS) {
    const parts = withZeroes(scored.get(situation.name)?.[arm], scored.get(situation.name)?.federated)
    if (parts !== undefined) sheet.record(`DARPA, all labels, ${title}`, arm, pooledFigures(parts))
  }
}
