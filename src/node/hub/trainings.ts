/** Trainings: starting them, and telling those that run who came and who went. */

import { toHex } from '../../base/bytes.ts'
import { fail } from '../../base/errors.ts'
import { type Digest, type OrganisationId, type TrainingId, trainingId } from '../../base/ids.ts'
import { modelVersion, roundIdOf } from '../../learning/block-content.ts'
import { parseTrainingConfig, type TrainingConfig } from '../../learning/config.ts'
import { isDrownedInNoise, noiseOverClip, ORGANISATIONS_ADVISED } from '../../learning/organisation-privacy.ts'
import type { TrainingState } from '../../learning/training-state.ts'
import type { LedgerState } from '../../ledger/sealing.ts'
import { outlineOf } from '../../models/model.ts'
import { activeOrganisations, keyAt } from '../../registry/read.ts'
import type { Drive } from '../drive.ts'
import { warnInTheClear } from '../in-the-clear.ts'
import { encodeFlat, modelMetadata, specOf, writeBlob } from '../model-files.ts'
import { openBlobTensors } from '../tensors.ts'
import { withKey } from './encryption.ts'
import type { HubContext } from './identity.ts'
import { registryState } from './members.ts'

export interface TrainingRequest {
  /** As {@link parseTrainingConfig} takes it; the model is that of `initialModel` where one is given. */
  readonly config: unknown
  /** Default: one that is drawn. */
  readonly trainingId?: string
  /** A blob that is a model; default: one initialised from the seed of the configuration. */
  readonly initialModel?: Digest
  /** Number of the first round; 1 if absent. */
  readonly firstRound?: number
}

export interface StartedTraining {
  readonly trainingId: TrainingId
  /** Id that the first round has or will have. */
  readonly roundId: string
  readonly config: TrainingConfig
  readonly initialModel: Digest
  /** When the first round ends at the latest if it is opened at once, milliseconds since the epoch. */
  readonly deadline: number
}

/** @throws invalid-request, blob-missing, model-invalid, already-exists */
export async function startTraining(
  context: HubContext,
  drive: Drive,
  request: TrainingRequest,
): Promise<StartedTraining> {
  const at = context.ports.clock.now()
  const id = trainingId(request.trainingId ?? `t-${toHex(context.ports.random.bytes(5))}`)
  const { firstRound = 1 } = request
  const keyed = { ...request, config: await withKey(context, request.config) }
  const { config, initialModel } = await initialModelOf(context, keyed)
  const registry = await registryState(drive)
  const organisations = activeOrganisations(registry).map((organisation) => ({
    organisation,
    publicKey: keyAt(registry, organisation, at),
  }))
  const event = {
    type: 'training-started',
    trainingId: id,
    config,
    initialModel,
    sealInitialModel: !(await isNewestModel(drive, initialModel)),
    organisations,
    firstRound,
    at,
  }
  const { applied } = await drive.dispatch(`training/${id}`, event, { id: 'started' })
  if (!applied) fail('already-exists', `there is a training ${id}`)
  warnOfNoise(context, config, organisations.length)
  warnInTheClear(context.options.log, config, { training: id, organisations: organisations.length })
  return {
    trainingId: id,
    roundId: roundIdOf(id, firstRound),
    config,
    initialModel,
    deadline: at + config.round.deadlineMs,
  }
}

function warnOfNoise({ options }: HubContext, config: TrainingConfig, organisations: number): void {
  const ratio = noiseOverClip(config, outlineOf(config.model, options.kernels).parameterCount, organisations)
  if (!isDrownedInNoise(ratio, organisations)) return
  options.log?.warn(
    { organisations, advised: ORGANISATIONS_ADVISED, epsilon: config.privacy?.epsilon, noiseOverClip: ratio },
    'noise for whole organisations: with so few of them it may be all that is left of the model',
  )
}

async function initialModelOf(
  context: HubContext,
  { config, initialModel }: TrainingRequest,
): Promise<{ config: TrainingConfig; initialModel: Digest }> {
  const { blobs } = context.ports
  if (initialModel === undefined) {
    const parsed = parseTrainingConfig(config)
    const model = outlineOf(parsed.model, context.options.kernels)
    const file = encodeFlat(model.layout, modelMetadata(parsed.model, modelVersion(0)), model.initialise(parsed.seed))
    return { config: parsed, initialModel: (await writeBlob(blobs, file)).digest }
  }
  const tensors = await openBlobTensors(blobs, initialModel)
  await tensors.close()
  return { config: parseTrainingConfig(config, specOf(tensors.header)), initialModel }
}

/** A training may go on from the newest model of another; any other model is sealed afresh, as the ledger's rules ask. */
async function isNewestModel(drive: Drive, model: Digest): Promise<boolean> {
  const ledger = (await drive.read('ledger')) as LedgerState | undefined
  return Object.values(ledger?.log.trainings ?? {}).some((training) => training.model === model)
}

export async function stopTraining(context: HubContext, drive: Drive, id: string): Promise<void> {
  const stream = `training/${trainingId(id)}`
  if ((await drive.read(stream)) === undefined) fail('not-found', `there is no training ${id}`)
  await drive.dispatch(stream, { type: 'training-stopped', at: context.ports.clock.now() }, { id: 'stopped' })
}

/** Streams of the trainings that have not ended. */
async function ongoing(context: HubContext, drive: Drive): Promise<readonly string[]> {
  const streams = await context.ports.store.listStreams('training')
  const states = await Promise.all(
    streams.map(async (stream) => ({ stream, state: (await drive.read(stream)) as TrainingState })),
  )
  return states
    .filter(({ state }) => state.phase === 'running' || state.phase === 'sealing-initial')
    .map(({ stream }) => stream)
}

/** `cause` names what made it join: told twice, a training counts it once. */
export async function joinTrainings(
  context: HubContext,
  drive: Drive,
  organisation: OrganisationId,
  cause: string,
): Promise<void> {
  const at = context.ports.clock.now()
  const publicKey = keyAt(await registryState(drive), organisation, at)
  for (const stream of await ongoing(context, drive))
    await drive.dispatch(
      stream,
      { type: 'organisation-joined', organisation, publicKey, at },
      { id: `joined/${cause}` },
    )
}

export async function leaveTrainings(
  context: HubContext,
  drive: Drive,
  organisation: OrganisationId,
  cause: string,
): Promise<void> {
  const at = context.ports.clock.now()
  for (const stream of await ongoing(context, drive))
    await drive.dispatch(stream, { type: 'organisation-left', organisation, at }, { id: `left/${cause}` })
}
