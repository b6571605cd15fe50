/** The ledger's own work: sealing at the hub, keeping at an organisation, and an auditor's verification. */

import {
  contentOf,
  exportOf,
  Hub,
  KEYS,
  MEMBERS,
  ORGANISATIONS,
  ORIGIN,
  requestOf,
  START,
  signatureOf,
} from '../src/ledger/fixtures.ts'
import { verifyExport } from '../src/ledger/export.ts'
import { replicaMachine } from '../src/ledger/replica.ts'
import { sideBySide, summarise, type Timing } from './measure.ts'
import { rate, type Section } from './report.ts'

const BLOCKS = 300

/** Seals one block and returns the milliseconds that the hub's machine took; the signers' work is not its own. */
function seal(hub: Hub, round: number): number {
  const signers = round === 0 ? [] : ORGANISATIONS
  const request = requestOf(contentOf('bench', round, ORGANISATIONS), signers, START + 1000 * round)
  let spent = 0
  const timed = (event: Parameters<Hub['step']>[0]): ReturnType<Hub['step']> => {
    const since = performance.now()
    const effects = hub.step(event)
    spent += performance.now() - since
    return effects
  }
  const proposal = timed(request).find((effect) => effect.type === 'propose-block')
  if (proposal !== undefined)
    for (const signer of signers) timed(signatureOf(request.id, proposal.block, signer, request.at + 1))
  return spent
}

function sealMany(): { hub: Hub; spent: number } {
  const hub = new Hub()
  let spent = 0
  for (let round = 0; round < BLOCKS; round++) spent += seal(hub, round)
  if (hub.records.length !== BLOCKS) throw new Error(`${hub.records.length} of ${BLOCKS} blocks were sealed`)
  return { hub, spent }
}

function replicate(hub: Hub): void {
  const replica = replicaMachine({ origin: ORIGIN, hubKey: KEYS.hub })
  let state = replica.initial('replica')
  for (const { leaf, checkpoint } of hub.records)
    state = replica.step(state, { type: 'block-received', leaf, checkpoint, members: MEMBERS, at: START }).state
}

export async function benchLedger(runs: number): Promise<Section> {
  const { hub } = sealMany()
  const exported = exportOf(hub)
  const sealing: Timing = summarise(Array.from({ length: runs }, () => sealMany().spent))
  const { verified, replicated } = await sideBySide(
    { verified: () => verifyExport(exported, KEYS), replicated: () => replicate(hub) },
    runs,
  )
  return {
    title: 'Ledger',
    setting: `${BLOCKS} blocks, ${ORGANISATIONS.length} signatures each, fixed keys, one thread, no database`,
    rows: [
      rate('appended by the hub', BLOCKS, 'block', sealing, 'checks, signatures of participants, tree, checkpoint'),
      rate('verified and kept by an organisation', BLOCKS, 'block', replicated),
      rate('verified by an auditor from the exported file', BLOCKS, 'block', verified),
    ],
  }
}
