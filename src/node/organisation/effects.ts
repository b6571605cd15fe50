/**
 * What an organisation's node does after a transaction. A handler may run twice: letters keep their ids, blobs are named
 * by content, and training the same request gives the same bytes. Refusals become events; the rest is tried again.
 */

import { EntenteError, fail } from '../../base/errors.ts'
import type { RoundId } from '../../base/ids.ts'
import { isEncrypted } from '../../learning/encryption-config.ts'
import type { ParticipantEffect, ParticipantState } from '../../learning/participant-state.ts'
import { signBlock } from '../../ledger/block.ts'
import type { ReplicaEffect, ReplicaState } from '../../ledger/replica.ts'
import type { DriveEffect } from '../../base/machine.ts'
import type { Dispatch, EffectContext } from '../drive.ts'
import type { OrganisationContext } from './identity.ts'
import { deliver } from './letters.ts'
import { closeMasking, isMaskingStream, type MaskingParts, openMasking, performMaskingEffect } from './masking.ts'
import {
  closeEncrypting,
  type EncryptionParts,
  isEncryptingStream,
  openEncrypting,
  performEncryptionEffect,
} from './encryption.ts'
import { forgetNoise } from '../noise-seed.ts'
import { abandonProtection } from './protect.ts'
import { forgetIfOver, forgetRoundBlobs } from './round-blobs.ts'
import { fetchModel, trainAndContribute } from './train.ts'
import { validateModel } from './validate.ts'
import { warnOncePerTraining } from './warn-once.ts'

type OrganisationEffect = Exclude<ParticipantEffect, DriveEffect> | ReplicaEffect
type EffectOf<Type extends OrganisationEffect['type']> = Extract<OrganisationEffect, { type: Type }>

/** A newcomer replays the whole ledger; of models that were replaced long ago it need not fetch the files. */
const MODELS_BEHIND_MAX = 16
/** What was sealed before is history: nobody asks any more how good it was. */
const VALIDATED_BEHIND_MAX = 4

export async function performOrganisationEffect(
  parts: MaskingParts & EncryptionParts,
  effect: OrganisationEffect,
  { id, stream }: EffectContext,
): Promise<readonly Dispatch[]> {
  const { context } = parts
  if (isMaskingStream(stream)) return performMaskingEffect(parts, effect, { id, stream })
  if (isEncryptingStream(stream)) return performEncryptionEffect(parts, effect, { id, stream })
  switch (effect.type) {
    case 'train':
      if (await isIn(context, stream, 'training')) {
        const event = await train(context, effect)
        // The round may have ended meanwhile: nothing of it will be sent, and nobody else lets its noise go.
        if (!(await isIn(context, stream, 'training'))) await abandonProtection(context, effect.roundId, effect.config)
        await forgetIfOver(context, effect.roundId)
        return [{ stream, event }]
      }
      await abandonProtection(context, effect.roundId, effect.config)
      await forgetIfOver(context, effect.roundId)
      return []
    case 'forget-blobs':
      await forgetRoundBlobs(context, effect.roundId)
      return []
    case 'contribute':
      return contributeAndForget(context, effect, { id, stream })
    case 'open-masking':
      // What was trained is stored: its noise is never drawn again.
      await forgetNoise(context, effect.roundId)
      return (await isIn(context, stream, 'masking')) ? [await openHiding(parts, effect)] : []
    case 'close-masking':
      return [closeHiding(context, effect)]
    case 'decline':
      await deliver(context, 'round-declined', { round_id: effect.roundId, reason: effect.reason }, id)
      return []
    case 'sign-block':
      await sign(context, effect, id)
      return [{ stream, event: { type: 'block-signed', at: context.ports.clock.now() } }]
    case 'block-verified':
      await forgetSealed(context, effect.block.provenance.round_id as RoundId)
      await keepModel(context, effect, id)
      return []
    default:
      return unknownEffect(effect)
  }
}

const openHiding = (parts: MaskingParts & EncryptionParts, effect: EffectOf<'open-masking'>): Promise<Dispatch> =>
  isEncrypted(effect.announcement.config.protection) ? openEncrypting(parts, effect) : openMasking(parts, effect)

/** The end may overtake the opening: a machine that is closed before it is opened stays closed. */
function closeHiding(
  { ports }: OrganisationContext,
  { maskingId, protection, reason }: EffectOf<'close-masking'>,
): Dispatch {
  const close = isEncrypted(protection) ? closeEncrypting : closeMasking
  return close(maskingId, reason, ports.clock.now())
}

/** A job that was tried for long may find its round over: then there is nothing left to do. */
async function isIn(
  { ports }: OrganisationContext,
  stream: string,
  phase: ParticipantState['phase'],
): Promise<boolean> {
  const state = (await ports.store.readStream(stream))?.state as ParticipantState | undefined
  return state?.phase === phase
}

async function train(context: OrganisationContext, effect: EffectOf<'train'>): Promise<unknown> {
  try {
    warnOncePerTraining(context, effect)
    const trained = await trainAndContribute(context, effect)
    return { type: 'trained', ...trained, at: context.ports.clock.now() }
  } catch (error) {
    const refusal = refusalOf(error)
    // The hub is told the code only; the figures are for the owner of the data.
    context.options.log?.warn({ ...refusal, roundId: effect.roundId }, 'this organisation declines the round')
    await abandonProtection(context, effect.roundId, effect.config)
    return { type: 'training-failed', ...refusal, at: context.ports.clock.now() }
  }
}

/** The seed of the noise stays until the contribution is delivered, or never will be. */
async function contributeAndForget(
  context: OrganisationContext,
  effect: EffectOf<'contribute'>,
  { id, stream }: EffectContext,
): Promise<readonly Dispatch[]> {
  const events = (await isIn(context, stream, 'contributing'))
    ? [{ stream, event: await contribute(context, effect, id) }]
    : []
  const noisy = effect.body.encrypted_gradient.stages.some(({ stage, applied }) => stage === 'noise' && applied)
  if (noisy) await forgetNoise(context, effect.roundId)
  return events
}

async function contribute(
  context: OrganisationContext,
  { body }: EffectOf<'contribute'>,
  id: string,
): Promise<unknown> {
  const { connection, blobs, clock } = context.ports
  const { digest } = body.encrypted_gradient.blob
  try {
    await connection.upload(digest, blobs)
    await deliver(context, 'contribution', body, id)
    return { type: 'contributed', at: clock.now() }
  } catch (error) {
    const refusal = refusalOf(error)
    // The hub holds this very update of ours under another envelope: it counts.
    if (refusal.code === 'already-submitted' && refusal.details['digest'] === digest)
      return { type: 'contributed', at: clock.now() }
    return { type: 'contribution-refused', code: refusal.code, message: refusal.message, at: clock.now() }
  }
}

/** The particulars of an error that will be the same next time; any other is thrown on, to be tried again. */
function refusalOf(error: unknown) {
  if (!(error instanceof EntenteError) || error.retryable) throw error
  return { code: error.code, message: error.message, details: error.details }
}

async function sign(
  context: OrganisationContext,
  { id, block }: EffectOf<'sign-block'>,
  effectId: string,
): Promise<void> {
  const signature = signBlock(block, context.identity.secret)
  await deliver(context, 'block-signature', { id, height: block.height, hash: block.hash, signature }, effectId)
}

/** Whose work is still under way ends by its own clock, and is forgotten then. */
const SENT: ReadonlySet<string> = new Set<ParticipantState['phase']>(['contributed', 'signing', 'signed'])

async function forgetSealed(context: OrganisationContext, round: RoundId): Promise<void> {
  const state = (await context.ports.store.readStream(`participant/${round}`))?.state as ParticipantState | undefined
  if (state !== undefined && SENT.has(state.phase)) await forgetRoundBlobs(context, round)
}

async function keepModel(
  context: OrganisationContext,
  { block }: EffectOf<'block-verified'>,
  id: string,
): Promise<void> {
  const replica = (await context.ports.store.readStream('replica'))?.state as ReplicaState | undefined
  const behind = (replica?.log.size ?? 0) - block.height
  if (behind > MODELS_BEHIND_MAX) return
  await fetchModel(context, block.model_hash)
  if (behind <= VALIDATED_BEHIND_MAX) await validateModel(context, block, id)
}

function unknownEffect(effect: never): never {
  fail('internal', `the node has no handler for the effect ${JSON.stringify(effect)}`)
}
