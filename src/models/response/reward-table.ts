/** Puts what the scripted agents earn here beside what was published. */

import { type BlueName, blueAgent, CAGE2_DECOY_ORDER } from './blue-agents.ts'
import { createEnvironment } from './environment.ts'
import { type Earned, playEpisodes } from './evaluate.ts'
import type { RedName } from './red-agents.ts'
import { CAGE2 } from './topologies/cage2.ts'

/** A row of the published table: mean total reward over 100 steps in CybORG and in MiniCAGE. */
export interface PublishedRow {
  readonly red: 'B-line' | 'Meander'
  readonly blue: 'React-Restore' | 'React-Decoy' | 'Sleep'
  readonly cage2: number
  readonly mini: number
}

const RED: Record<PublishedRow['red'], RedName> = { 'B-line': 'b-line', 'Meander': 'meander' }
const BLUE: Record<PublishedRow['blue'], BlueName> = {
  'React-Restore': 'react-restore',
  'React-Decoy': 'react-decoy',
  'Sleep': 'sleep',
}

/** What the same pair earns here, on the network of the challenge as it was run. */
export function earned(row: PublishedRow, episodes: number, seed: string): Earned {
  const environment = createEnvironment({ topology: CAGE2, red: RED[row.red], steps: 100 })
  const agent = () => blueAgent(BLUE[row.blue], environment, CAGE2_DECOY_ORDER)
  return playEpisodes(environment, agent, episodes, `${seed}/${row.red}/${row.blue}`)
}

/** Relative distance of a mean from each of the published ones. */
export const misses = (row: PublishedRow, mean: number): { mini: number; cage2: number } => ({
  mini: Math.abs(mean / row.mini - 1),
  cage2: Math.abs(mean / row.cage2 - 1),
})
