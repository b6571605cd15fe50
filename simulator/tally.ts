/** How much went wrong in the runs so far: a simulator that tests nothing must be seen to test nothing. */

import { blocksOf } from './checkers/blocks.ts'
import { losesSharers } from './checkers/reproducible.ts'
import { gridOf } from './checkers/updates.ts'
import { EPOCH_MS } from './scheduler.ts'
import type { Report } from './simulate.ts'

export interface Figures {
  readonly seeds: number
  readonly virtualHours: number
  readonly blocks: number
  readonly crashes: number
  readonly tornWrites: number
  readonly messagesLost: number
  readonly forgeriesRefused: number
  readonly departures: number
  /** Runs in which some round lacked an organisation, or was abandoned. */
  readonly incompleteRounds: number
  /** Blocks whose updates nobody saw. */
  readonly hiddenBlocks: number
  /** Of these, blocks from whose round somebody dropped out after it had brought its keys. */
  readonly dropouts: number
}

export interface Tally {
  add(report: Report): void
  figures(): Figures
}

export function tally(): Tally {
  const sums = {
    seeds: 0,
    virtualHours: 0,
    blocks: 0,
    crashes: 0,
    tornWrites: 0,
    messagesLost: 0,
    forgeriesRefused: 0,
    departures: 0,
    incompleteRounds: 0,
    hiddenBlocks: 0,
    dropouts: 0,
  }

  function add({ run, plan }: Report): void {
    const { lines } = run.scheduler
    const count = (pattern: RegExp): number => lines.filter(({ what }) => pattern.test(what)).length
    const blocks = blocksOf(run)
    sums.seeds++
    sums.virtualHours += (run.scheduler.now() - EPOCH_MS) / 3_600_000
    sums.blocks += blocks.length
    sums.hiddenBlocks += blocks.filter((block) => gridOf(block) !== undefined).length
    sums.dropouts += blocks.filter(losesSharers).length
    sums.departures += run.departed.size
    sums.crashes += count(/^dies$/)
    sums.tornWrites += count(/^recovery drops/)
    sums.messagesLost += count(/^loses /)
    sums.forgeriesRefused += count(/^was refused: EntenteError: the envelope is not signed/)
    const { rounds, organisations } = plan.scenario
    const complete = blocks.filter((block) => block.provenance.participants.length === organisations.length).length
    if (complete < rounds) sums.incompleteRounds++
  }

  return { add, figures: () => ({ ...sums }) }
}
