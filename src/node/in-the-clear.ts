/** Said loudly wherever a training hides nothing: by the command that starts it, by the hub, and by each organisation. */

import type { DriveLog } from './drive.ts'

/** What of a training's configuration decides what others see. */
export interface Openness {
  readonly protection?: unknown
  /** null = no differential privacy; absent = the default, which has it. */
  readonly privacy?: unknown
  readonly model?: { readonly kind?: unknown }
}

/** What whoever starts such a training is to know; nothing where updates are hidden and have noise. */
export function inTheClear({ protection, privacy, model }: Openness): string[] {
  return [
    ...(protection === 'plain'
      ? ['protection "plain": the hub reads the update of every organisation that takes part']
      : []),
    // A response policy learns from a game, and tells of nobody's data.
    ...(privacy === null && model?.kind !== 'policy'
      ? [
          'no differential privacy: no budget bounds what models tell of the data, and organisations decline unless their entente.yaml says requirePrivacy: false',
        ]
      : []),
  ]
}

export function warnInTheClear(log: DriveLog | undefined, training: Openness, details: object): void {
  for (const warning of inTheClear(training)) log?.warn(details, warning)
}
