/** `federation.json` of an organisation: what the hub told it when it joined, and by which it knows the hub from then on. */

import { z } from 'zod'
import { fail } from '../../base/errors.ts'
import { readNodeFile, writePrivate } from './files.ts'

const publicKeySchema = z.string().length(43)

const membershipSchema = z.object({
  federation: z.string(),
  /** Verifies the hub's envelopes. */
  hubKey: publicKeySchema,
  /** Verifies the ledger's checkpoints. */
  ledgerKey: publicKeySchema,
  /** The hub's signed receipt. */
  registrationToken: z.string(),
})

export type Membership = z.infer<typeof membershipSchema>

const FILE = 'federation.json'

export async function writeMembership(directory: string, membership: Membership): Promise<void> {
  await writePrivate(directory, FILE, `${JSON.stringify(membership, null, 2)}\n`)
}

export async function readMembership(directory: string): Promise<Membership> {
  const text = await readNodeFile(directory, FILE)
  try {
    return membershipSchema.parse(JSON.parse(text))
  } catch {
    fail('config-invalid', `${FILE} in ${directory} is not what joining wrote`)
  }
}
