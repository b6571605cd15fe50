/**
 * P2: a contribution is counted at most once, and only in the round it was made for. What a block says is compared with
 * what each participant itself says it sent, and the model is computed again, by other code, from those updates alone.
 */

import type { OrganisationId } from '../../src/base/ids.ts'
import { sha256Hex } from '../../src/base/hash.ts'
import { modelVersion } from '../../src/learning/block-content.ts'
import type { TrainingConfig } from '../../src/learning/config.ts'
import type { ParticipantState } from '../../src/learning/participant-state.ts'
import { STRATEGIES } from '../../src/learning/strategies/strategies.ts'
import type { Block } from '../../src/ledger/block.ts'
import { decodeSafetensors } from '../../src/models/formats/safetensors.ts'
import { encodeFlat, modelMetadata } from '../../src/node/model-files.ts'
import { type Run, stateOf, type Violation } from '../run.ts'
import { blocksOf } from './blocks.ts'
import { flatValues, gridOf, meanOfHidden, trainedBy } from './updates.ts'

export function checkCountedOnce(run: Run): Violation[] {
  const blocks = blocksOf(run).filter((block) => block.provenance.participants.length > 0)
  const messages = [
    ...blocks.flatMap((block) => participantFaults(run, block)),
    ...repeatedContributions(blocks),
    ...modelFaults(run, blocks),
  ]
  return messages.map((message) => ({ checker: 'P2', message }))
}

function participantFaults(run: Run, block: Block): string[] {
  const { height, provenance } = block
  const masked = gridOf(block) !== undefined
  const names = provenance.participants.map(({ org_id }) => org_id)
  const twice = names
    .filter((name, i) => names.indexOf(name) !== i)
    .map((name) => `block ${height} counts ${name} twice`)
  const wrong = provenance.participants.flatMap((line) => {
    const sent = masked
      ? maskedBy(run, line.org_id, provenance.round_id)
      : sentBy(run, line.org_id, provenance.round_id)
    if (sent === undefined)
      return [`block ${height} counts ${line.org_id}, which contributed nothing to ${provenance.round_id}`]
    if (sent.update.digest !== line.contribution || sent.sampleCount !== line.sample_count)
      return [`block ${height} counts a contribution of ${line.org_id} that it did not make`]
    return []
  })
  return [...twice, ...wrong]
}

/**
 * What letters of an organisation say that it brought to a masked round: its weight with its keys, its vector later. It may
 * have dropped out afterwards, and remember nothing.
 */
function maskedBy({ hub }: Run, organisation: OrganisationId, roundId: string) {
  const bodies = (type: string) =>
    [...hub.tables.envelopes.values()]
      .filter(({ header }) => header.from === organisation && header.type === type)
      .map(({ body }) => body as { round_id: string; body: { vector: string; weight: number } })
      .filter(({ round_id }) => round_id === roundId)
  const [keys, input] = [bodies('masking-keys').at(-1), bodies('masking-input').at(-1)]
  if (keys === undefined || input === undefined) return undefined
  return { update: { digest: input.body.vector }, sampleCount: keys.body.weight }
}

/** What an organisation's own disk says it contributed to a round. */
function sentBy(run: Run, organisation: OrganisationId, roundId: string) {
  const node = run.organisations.find(({ name }) => name === organisation)
  const state =
    node === undefined ? undefined : (stateOf(node, `participant/${roundId}`) as ParticipantState | undefined)
  return state !== undefined && 'sent' in state ? state.sent : trainedBy(run, organisation, roundId)
}

function repeatedContributions(blocks: readonly Block[]): string[] {
  const all = blocks.flatMap(({ provenance }) => provenance.participants.map(({ contribution }) => contribution))
  const repeated = all.filter((digest, i) => all.indexOf(digest) !== i)
  return repeated.map((digest) => `the contribution ${digest} is counted in two places`)
}

/** One training, block after block, computed with plain loops over whole vectors. */
function modelFaults(run: Run, blocks: readonly Block[]): string[] {
  const faults: string[] = []
  let state: Float32Array[] | undefined
  let previous: Float32Array | undefined
  for (const block of blocks) {
    const base = valuesOf(run, block.provenance.parent_model ?? '')
    const mean = base === undefined ? undefined : meanOf(run, block, base.values.length)
    if (base === undefined || mean === undefined) {
      faults.push(`the blobs behind block ${block.height} are not all there`)
      continue
    }
    const config = block.provenance.training_config as unknown as TrainingConfig
    const strategy = STRATEGIES[config.strategy.name]
    state ??= strategy.initialState(config.strategy).map((value) => new Float32Array(base.values.length).fill(value))
    const weights = base.values.slice()
    strategy.apply({ weights, delta: mean, previous, state }, config.strategy)
    const file = encodeFlat(
      base.layout,
      modelMetadata(config.model, modelVersion(block.aggregation_metrics.round)),
      weights,
    )
    if (sha256Hex(file) !== block.model_hash)
      faults.push(`the model of block ${block.height} is not the aggregate of the contributions that it lists`)
    previous = base.values
  }
  return faults
}

/** From what the hub holds, or, where it may hold nothing, from what the organisations keep. */
function meanOf(run: Run, block: Block, length: number): Float32Array | undefined {
  const grid = gridOf(block)
  if (grid !== undefined) return meanOfHidden(run, block, grid)?.subarray(0, length)
  const updates = block.provenance.participants.map((line) => ({
    values: valuesOf(run, line.contribution),
    weight: line.sample_count,
  }))
  if (updates.some(({ values }) => values === undefined)) return undefined
  return weightedMean(updates as { values: { values: Float32Array }; weight: number }[], length)
}

/** Parties in the order of the block; one rounding to float32 at the end. */
function weightedMean(
  updates: readonly { values: { values: Float32Array }; weight: number }[],
  length: number,
): Float32Array {
  const total = updates.reduce((sum, { weight }) => sum + weight, 0)
  return Float32Array.from(
    { length },
    (_, i) => updates.reduce((sum, { values, weight }) => sum + (values.values[i] ?? 0) * weight, 0) / total,
  )
}

function valuesOf(run: Run, digest: string) {
  const bytes = run.hub.blobs.get(digest as never)
  if (bytes === undefined) return undefined
  const sorted = [...decodeSafetensors(bytes).tensors].toSorted(([a], [b]) => (a < b ? -1 : 1))
  return { layout: sorted.map(([name, { shape }]) => ({ name, shape })), values: flatValues(bytes) }
}
