/** C2SP checkpoints (c2sp.org/tlog-checkpoint): origin, size and root hash of the log as a signed note. */

import { fromBase64, toBase64 } from '../base/bytes.ts'
import { fail } from '../base/errors.ts'
import type { PublicKey, SecretKey } from '../base/signature.ts'
import type { Hash } from './merkle.ts'
import { openNote, signNote } from './note.ts'

export interface Checkpoint {
  /** Name of the log, the federation's: also the name of its note key. */
  readonly origin: string
  /** Number of leaves. */
  readonly size: number
  readonly root: Hash
}

/** The three lines that are signed. */
export function checkpointText({ origin, size, root }: Checkpoint): string {
  return `${origin}\n${size}\n${toBase64(root)}\n`
}

/** Checkpoint as a note signed by the log. Ed25519 is deterministic: the same tree gives the same bytes. */
export function signCheckpoint(checkpoint: Checkpoint, secret: SecretKey): string {
  return signNote(checkpointText(checkpoint), checkpoint.origin, secret)
}

/** Parses the text of a note. Extension lines are refused: this log writes none. @throws ledger-invalid */
export function parseCheckpoint(text: string): Checkpoint {
  const [origin = '', size = '', root = '', ...rest] = text.split('\n')
  const hash = fromBase64(root)
  const wellFormed = origin !== '' && /^(0|[1-9][0-9]{0,15})$/.test(size) && Number.isSafeInteger(Number(size))
  if (!wellFormed || hash?.length !== 32 || rest.length !== 1 || rest[0] !== '')
    fail('ledger-invalid', 'not a checkpoint: origin, size and root hash are expected', {
      reason: 'checkpoint-malformed',
    })
  return { origin, size: Number(size), root: hash }
}

/** The checkpoint of this log in a signed note. @throws ledger-invalid: malformed, not signed by the log, of another log. */
export function openCheckpoint(note: string, origin: string, logKey: PublicKey): Checkpoint {
  const checkpoint = parseCheckpoint(openNote(note, [{ name: origin, publicKey: logKey }]).text)
  if (checkpoint.origin !== origin)
    fail('ledger-invalid', `the checkpoint is of the log ${checkpoint.origin}, not ${origin}`, {
      reason: 'checkpoint-origin',
    })
  return checkpoint
}
