/** What the tests of this room share: identities, a configuration, files in memory. */

import { digestOf } from '../base/hash.ts'
import { type Digest, type OrganisationId, organisationId, roundId, trainingId } from '../base/ids.ts'
import { publicKeyOf } from '../base/signature.ts'
import { encodeSafetensors } from '../models/formats/safetensors.ts'
import { parseTrainingConfig, type TrainingConfig } from './config.ts'
import type { RoundFacts as MaskingFacts } from '../privacy/masking/server-state.ts'
import type { AggregateResult, ContributionReceived, MaskedSum, Participant, RoundOpened } from './round-state.ts'
import { expectedStages } from './stages.ts'
import { type ByteReader, openTensors, type TensorReader } from './tensor-reader.ts'
import { updateMetadata } from './validate-update.ts'

export const TRAINING = trainingId('t1')
export const ROUND = roundId('t1-1')

export const digestFor = (label: string): Digest => digestOf(label)
export const secretOf = (organisation: string): Uint8Array =>
  new Uint8Array(32).fill(organisation.charCodeAt(organisation.length - 1))

export function participants(...names: readonly string[]): Participant[] {
  return names.map((name) => ({ organisation: organisationId(name), publicKey: publicKeyOf(secretOf(name)) }))
}

/** In the clear and without noise, unless `changes` ask for more. */
export function configOf(changes: Record<string, unknown> = {}): TrainingConfig {
  const asked = { protection: 'plain', privacy: null, ...changes }
  return parseTrainingConfig(asked, { kind: 'mlp', inputs: 2, hidden: [3] })
}

export const OPENED_AT = 1_000

export function opening(changes: Partial<RoundOpened> = {}): RoundOpened {
  return {
    type: 'round-opened',
    roundId: ROUND,
    trainingId: TRAINING,
    round: 1,
    baseModel: digestFor('base'),
    previousModel: null,
    strategyState: null,
    config: configOf({ round: { participantsMin: 2, deadlineMs: 1_000 } }),
    candidates: participants('org-a', 'org-b', 'org-c'),
    replyStream: 'training/t1',
    at: OPENED_AT,
    ...changes,
  }
}

export function contributionOf(
  organisation: string,
  changes: Partial<ContributionReceived> = {},
): ContributionReceived {
  return {
    type: 'contribution-received',
    organisation: organisationId(organisation),
    envelopeId: `envelope-${organisation}`,
    update: { digest: digestFor(`update-${organisation}`), size: 100 },
    baseModel: digestFor('base'),
    sampleCount: 100,
    stages: expectedStages(configOf()),
    metrics: { loss: 0.5 },
    dataSources: ['zeek-tsv'],
    at: OPENED_AT + 10,
    ...changes,
  }
}

const survivor = (name: string, weight: number) => ({
  organisation: organisationId(name),
  weight,
  vector: digestFor(`vector-${name}`),
})

/** What the masking machine reports of a round of three. */
export const MASKED_SUM: MaskedSum & { readonly facts: MaskingFacts } = {
  bucket: 0,
  sum: digestFor('sum'),
  facts: {
    ...{ invited: 3, advertised: 3, shared: 3, signatures: 3, revealed: 3, length: 4, blamed: [] },
    ...{ neighbours: 2, threshold: 3, quorum: 3, corruptMax: 1 },
    ...{ width: 32, levels: 2 ** 29, clip: 8, weightMax: 30 },
    survivors: [survivor('org-a', 10), survivor('org-b', 30), survivor('org-c', 20)],
  },
}

export const organisation = (name: string): OrganisationId => organisationId(name)

/** A blob in memory; `reads` counts how often it was read. */
export function memoryFile(bytes: Uint8Array): ByteReader & { reads: number } {
  const file = {
    size: bytes.length,
    reads: 0,
    async read(offset: number, into: Uint8Array) {
      file.reads++
      into.set(bytes.subarray(offset, offset + into.length))
    },
  }
  return file
}

/** Files of two tensors that hold `values` in layout order. */
export function fileOf(values: readonly number[], metadata: Readonly<Record<string, string>>): Uint8Array {
  const split = Math.min(2, values.length - 1)
  const tensor = (from: number, to?: number) => {
    const part = Float32Array.from(values.slice(from, to))
    return { shape: [part.length], values: part }
  }
  return encodeSafetensors(
    new Map([
      ['a', tensor(0, split)],
      ['b', tensor(split)],
    ]),
    metadata,
  )
}

export const BASE_DIGEST = digestFor('base')

export function modelReader(values: readonly number[], version = 'v1.0-init'): Promise<TensorReader> {
  return openTensors(memoryFile(fileOf(values, { format: 'entente-model-1', version })))
}

export function updateReader(values: readonly number[]): Promise<TensorReader> {
  return openTensors(memoryFile(fileOf(values, updateMetadata(BASE_DIGEST))))
}

/** What an aggregation came to, where its figures do not matter. */
export const AGGREGATED: AggregateResult = {
  model: digestFor('m'),
  strategyState: null,
  normDifference: 1,
  gradientNorm: 1,
  convergence: 1,
  durationMs: 1,
}
