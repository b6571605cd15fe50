/**
 * What the hub does after a transaction. Each handler may run twice, also at once in two processes: letters and events
 * carry ids that follow from the effect's. What retrying cannot mend becomes an event; the rest is thrown, and tried again.
 */

import { isEncrypted } from '../../learning/encryption-config.ts'
import type { RoundEffect } from '../../learning/round-state.ts'
import type { LedgerEffect } from '../../ledger/sealing.ts'
import type { DriveEffect } from '../../base/machine.ts'
import { fail } from '../../base/errors.ts'
import type { Dispatch, Drive, EffectContext } from '../drive.ts'
import type { LedgerReader } from '../ledger-reader.ts'
import { aggregateRound } from './aggregate.ts'
import type { MaskingThreads } from '../masking/threads.ts'
import { type EncryptionEffect, isDecryptingStream, openDecrypting, performEncryptionEffect } from './encryption.ts'
import type { HubContext } from './identity.ts'
import { postToAll } from './mail.ts'
import { isMaskingStream, type MaskingEffect, openMasking, performMaskingEffect } from './masking.ts'
import { publishBlocks } from './publish.ts'

type HubEffect = Exclude<RoundEffect | LedgerEffect, DriveEffect>

export interface HubParts {
  readonly context: HubContext
  readonly ledger: LedgerReader
  readonly masking: MaskingThreads
  /** Set once the drive exists: handlers read other streams through it. */
  drive(): Drive
}

export async function performHubEffect(
  parts: HubParts,
  effect: HubEffect,
  { id, stream }: EffectContext,
): Promise<readonly Dispatch[]> {
  const { context, ledger } = parts
  if (isMaskingStream(stream)) return performMaskingEffect(parts, effect as unknown as MaskingEffect, { id, stream })
  if (isDecryptingStream(stream))
    return performEncryptionEffect(context, parts.drive(), effect as unknown as EncryptionEffect, { id, stream })
  const now = (): number => context.ports.clock.now()
  switch (effect.type) {
    case 'announce':
      await postToAll(context, effect.to, 'round-announced', effect.announcement, id)
      return [{ stream, event: { type: 'announced', at: now() } }]
    case 'open-masking':
      return [
        isEncrypted(effect.config.protection) ? await openDecrypting(context, effect) : openMasking(context, effect),
      ]
    case 'aggregate':
      return [{ stream, event: await aggregateRound(context, effect) }]
    case 'notify-abandoned':
      await postToAll(context, effect.to, 'round-abandoned', { round_id: effect.roundId, reason: effect.reason }, id)
      return []
    case 'propose-block':
      await postToAll(context, effect.to, 'block-proposed', { id: effect.id, block: effect.block }, id)
      return []
    case 'publish-block':
      await publishBlocks(context, parts.drive(), ledger, effect.height)
      return []
    case 'confirm-broadcast':
      await publishBlocks(context, parts.drive(), ledger, effect.height)
      return [{ stream, event: { type: 'broadcast', at: now() } }]
    default:
      return unknownEffect(effect)
  }
}

function unknownEffect(effect: never): never {
  fail('internal', `the hub has no handler for the effect ${JSON.stringify(effect)}`)
}
