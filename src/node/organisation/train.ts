/** One organisation's work in a round: fetch the model, train, take the difference, make a contribution of it. */

import { EntenteError, fail } from '../../base/errors.ts'
import { digestOf } from '../../base/hash.ts'
import type { Digest } from '../../base/ids.ts'
import type { TrainingConfig } from '../../learning/config.ts'
import { clipFault } from '../../learning/adaptive-clip.ts'
import { prepareContribution } from '../../learning/contribution.ts'
import type { ParticipantEffect } from '../../learning/participant-state.ts'
import type { StageRecord } from '../../learning/stages.ts'
import { encodeUpdate, updateOf } from '../../learning/update-file.ts'
import { heightKey, type LedgerRecord, type ModelRecord } from '../../ledger/log.ts'
import { outlineOf } from '../../models/model.ts'
import { blockOf } from '../ledger-reader.ts'
import { readFlat, specOf } from '../model-files.ts'
import type { LabelledSummary } from '../training.ts'
import type { OrganisationContext } from './identity.ts'
import { reserveProtection } from './protect.ts'
import { openResidual } from './residual.ts'
import { writeRoundBlob } from './round-blobs.ts'

type TrainEffect = Extract<ParticipantEffect, { type: 'train' }>

/** What a policy is trained on, as a block names it: no log at all. */
const POLICY_SOURCE = 'network-defence-game'

export interface Trained {
  readonly update: { readonly digest: Digest; readonly size: number }
  readonly sampleCount: number
  readonly stages: readonly StageRecord[]
  readonly count?: number
  readonly metrics: Readonly<Record<string, number>>
  readonly dataSources: readonly string[]
}

/** @throws no-data, not-finite, model-invalid, budget-exceeded: retrying cannot help; unavailable and the like: it can */
export async function trainAndContribute(context: OrganisationContext, effect: TrainEffect): Promise<Trained> {
  const { baseModel, config, roundId, round, seed } = effect
  const { ports, options } = context
  await checkBase(context, effect)
  await fetchModel(context, baseModel)
  const { header, values } = await readFlat(ports.blobs, baseModel)
  if (digestOf(specOf(header)) !== digestOf(config.model))
    fail('model-invalid', 'the model announced is not of the announced kind')
  const { parameterCount, layout } = outlineOf(config.model, options.kernels)
  const protection = await reserveProtection(context, roundId, config, parameterCount)
  const left = config.sparsify?.errorFeedback === true ? await openResidual(context, roundId, round) : null
  const { rowsMax, rowsPerEpoch, objective, epochs, batchSize, learningRate, optimiser, proximalMu } = config.local
  const request = {
    spec: config.model,
    parameters: values,
    epochs,
    batchSize,
    learningRate,
    optimiser,
    proximalMu,
    rowsMax,
    rowsPerEpoch,
    objective,
    seed,
    ...(protection?.privately === undefined ? {} : { privately: protection.privately }),
  }
  const { parameters, summary } = await ports.trainer.train(request)
  const contribution = prepareContribution(updateOf(parameters, values), {
    config,
    parameterCount,
    round,
    residual: left?.values ?? null,
    layout,
    kernels: options.kernels,
    mechanism: summary.mechanism,
    ...(protection?.drawNoise === undefined ? {} : { drawNoise: protection.drawNoise }),
  })
  await protection?.spend(summary.mechanism)
  if (contribution.residual !== null) await left?.keep(contribution.residual)
  const blob = await writeRoundBlob(context, roundId, encodeUpdate(contribution.update, layout, baseModel))
  return {
    update: blob,
    // Counts and losses come from the data without noise: under privacy every organisation weighs the same and says neither.
    sampleCount: protection === null ? summary.sampleCount : 1,
    stages: contribution.stages,
    ...(contribution.count === undefined ? {} : { count: contribution.count }),
    metrics: protection === null ? metricsOf(summary) : {},
    dataSources: dataSourcesOf(context, config),
  }
}

/**
 * A model that everybody has in its ledger, not one that the hub makes for this organisation alone to read its update by; and
 * a clip that follows the updates follows from the block of that model.
 */
async function checkBase(
  { ports }: OrganisationContext,
  { config, baseModel, trainingId }: TrainEffect,
): Promise<void> {
  const found = (await ports.store.readRecord('model', baseModel)) as ModelRecord | undefined
  const record =
    found && ((await ports.store.readRecord('ledger', heightKey(found.height))) as LedgerRecord | undefined)
  // The announcement may overtake the block: then this is tried again.
  if (record === undefined) fail('unavailable', `the block of the model ${baseModel} has not arrived yet`)
  if (config.clipAdaptive === undefined) return
  const fault = clipFault(config, trainingId, blockOf(record))
  if (fault !== undefined) fail('ledger-conflict', fault)
}

/** Kinds of log that a block names, as declared. */
export function dataSourcesOf({ options }: OrganisationContext, { model }: TrainingConfig): readonly string[] {
  return model.kind === 'policy' ? [POLICY_SOURCE] : (options.dataSources ?? [])
}

function metricsOf({ loss, positives, reward }: LabelledSummary): Record<string, number> {
  return { loss, positives, ...(reward === undefined ? {} : { reward }) }
}

/** Copies a model from the hub unless it is here; its digest is verified as it is written. */
export async function fetchModel({ ports }: OrganisationContext, model: Digest): Promise<void> {
  if ((await ports.blobs.size(model)) !== undefined) return
  try {
    await ports.connection.download(model, ports.blobs)
  } catch (error) {
    // The hub answers, and has not what it announced: it may be restoring its disk, so this is tried again.
    if (error instanceof EntenteError && error.code === 'not-found')
      throw new EntenteError('blob-missing', `the hub does not have the model ${model}`, { cause: error })
    throw error
  }
}
