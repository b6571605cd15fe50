/**
 * An organisation's word on a new model: try it on rows held out -> set the cost aside -> draw the noise -> keep the
 * verdict -> send it. The verdict is stored before it leaves, so a node that dies sends the same again: another draw of
 * noise would be another release. Nothing waits for it, and whoever has too few rows, or no budget, says nothing.
 */

import { EntenteError } from '../../base/errors.ts'
import type { Digest, RoundId } from '../../base/ids.ts'
import { servesRecorded } from '../../learning/purpose.ts'
import { CONCENTRATION, DEVIATION, ROWS_MIN, type Trial, verdictOf } from '../../learning/verdict.ts'
import type { Block } from '../../ledger/block.ts'
import { createNoiseTable, type NoiseTable } from '../../privacy/dp/table.ts'
import { tableDelta } from '../../privacy/dp/local.ts'
import { readFlat, specOf } from '../model-files.ts'
import type { OrganisationContext } from './identity.ts'
import { deliver } from './letters.ts'
import { drawWith } from '../noise-seed.ts'
import { fetchModel } from './train.ts'
import type { Limits } from '../privacy-budget/privacy-budget.ts'

/** The account of rows from the cut on: no training takes from them. */
export const HELD_OUT = 'held-out'
export const VALIDATION = 'validation'

interface StoredVerdict {
  readonly improvementPercent: number
}

let table: NoiseTable | undefined

/** @throws what is worth trying again; anything else is logged, and nothing is said */
export async function validateModel(context: OrganisationContext, block: Block, effectId: string): Promise<void> {
  const { options, ports } = context
  const { parent_model: parent, round_id, training_config: config } = block.provenance
  if (options.validateModels === false || ports.trainer.validate === undefined || parent === null) return
  if (!servesRecorded(config, options.purposes)) return
  const roundId = round_id as RoundId
  try {
    const held = await storedVerdict(context, roundId)
    const verdict = held ?? (await judged(context, roundId, parent, block.model_hash))
    if (verdict === undefined) return
    const body = { round_id: roundId, model: block.model_hash, improvement_percent: verdict.improvementPercent }
    await deliver(context, 'model-validated', body, `${effectId}/validated`)
  } catch (error) {
    if (!(error instanceof EntenteError) || error.retryable) throw error
    options.log?.warn({ error, roundId }, 'nothing is said about the new model')
  }
}

async function judged(
  context: OrganisationContext,
  roundId: RoundId,
  parent: Digest,
  model: Digest,
): Promise<StoredVerdict | undefined> {
  const trial = await tried(context, parent, model)
  if (trial.rows < ROWS_MIN) return undefined
  await spend(context, roundId)
  const fresh: StoredVerdict = { improvementPercent: verdictOf(trial, drawn(context)) }
  return context.ports.store.transact(async (transaction) => {
    // The lock decides between two processes that both tried.
    const held = await transaction.lockStream(streamOf(roundId))
    if (held !== undefined) return held.state as StoredVerdict
    await transaction.append(streamOf(roundId), { seq: 0, id: 'judged', event: {} }, fresh)
    return fresh
  })
}

async function tried(context: OrganisationContext, parent: Digest, model: Digest): Promise<Trial> {
  const { blobs, trainer } = context.ports
  await fetchModel(context, parent)
  const [before, after] = [await readFlat(blobs, parent), await readFlat(blobs, model)]
  const request = { spec: specOf(after.header), before: before.values, after: after.values }
  return (await trainer.validate?.(request)) ?? { rows: 0, gain: 0 }
}

/** Durable before the noise is drawn; an id costs once. @throws budget-exceeded */
async function spend({ budget, options }: OrganisationContext, roundId: RoundId): Promise<void> {
  const id = `${roundId}/${VALIDATION}`
  const { privacyBudget: limits } = options
  if (limits !== undefined) await budget.setLimits(HELD_OUT, heldOutLimits(limits))
  const delta = tableDelta(limits?.epsilon ?? 0, noise().distance, 1)
  const cost = { kind: 'concentrated', rho: CONCENTRATION, delta } as const
  await budget.reserve(id, { dataset: HELD_OUT, purpose: VALIDATION, cost })
  await budget.spend(id)
}

/** Verdicts are all that rows from the cut on are used for, whatever a training on the others is for. */
function heldOutLimits({ epsilon, delta, purposes = {} }: Limits): Limits {
  const own = purposes[VALIDATION]
  return { epsilon, delta, purposes: own === undefined ? {} : { [VALIDATION]: own } }
}

function noise(): NoiseTable {
  table ??= createNoiseTable({ numerator: BigInt(DEVIATION) ** 2n, denominator: 1n })
  return table
}

function drawn({ ports }: OrganisationContext): number {
  const out = new Int32Array(1)
  drawWith(noise(), ports.random.bytes(32))(out)
  return out[0] ?? 0
}

const streamOf = (round: RoundId): string => `verdict/${round}`

async function storedVerdict({ ports }: OrganisationContext, round: RoundId): Promise<StoredVerdict | undefined> {
  return (await ports.store.readStream(streamOf(round)))?.state as StoredVerdict | undefined
}
