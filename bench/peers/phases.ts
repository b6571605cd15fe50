/** Secure aggregation as its own policy has it, phase by phase. */

import { chunkSum } from '../../src/models/kernels/masking.ts'
import { loadKernels } from '../../src/node/kernels.ts'
import { hubPhases } from '../secagg/hub.ts'
import { participantPhases } from '../secagg/participant.ts'
import { prepare, type Setting } from '../secagg/round.ts'
import { SETTINGS } from '../secagg/settings.ts'
import { inTurn } from '../secagg/timing.ts'
import type { PhaseTable } from './results.ts'

const arithmetic = chunkSum(loadKernels(), 32)

/** A round as this program's policy has it: every phase, with what goes over the wire. */
export async function phaseTable(key: '100-1m-own' | '1000-100k', runs: number): Promise<PhaseTable> {
  const setting: Setting = SETTINGS[key]
  const round = prepare(setting, arithmetic)
  const { neighbours, threshold, quorum, corruptMax } = round.roster.plan
  const own = participantPhases(round, arithmetic)
  const hub = hubPhases(round, arithmetic)
  const participant = await inTurn(runs, own.works)
  const server = await inTurn(runs, hub.works)
  const n = setting.organisations
  const out = (bytes: number): string => `${bytes} B to the hub`
  return {
    title: setting.name,
    setting: `k=${neighbours}, threshold ${threshold} of ${neighbours + 1}, ${quorum} signatures, up to ${corruptMax} corrupt`,
    phases: [
      { name: 'participant: make and sign keys', figure: participant.advertise, bytes: out(own.bytes.advertise) },
      {
        name: `participant: check ${n} signatures`,
        figure: participant.roster,
        bytes: `${own.bytes.roster} B from the hub`,
      },
      { name: `participant: share with ${own.neighbours}`, figure: participant.share, bytes: out(own.bytes.share) },
      { name: `participant: quantise, ${own.masks} masks`, figure: participant.mask, bytes: out(own.bytes.mask) },
      {
        name: `participant: open ${own.boxes} boxes, reveal`,
        figure: participant.reveal,
        bytes: out(own.bytes.reveal),
      },
      { name: 'hub: recover secrets and masks', figure: server.recover },
      { name: `hub: ${round.vectors.length} vectors, ${hub.order.masks.length} masks`, figure: server.unmask },
      { name: 'floor under it: keystream and additions', figure: server.floor },
    ],
  }
}
