/** The response policy in the network-defence game: learned against scripted, and federated against local only. */

import { type PolicyFigure, type PolicyFigureOptions, policyFigures } from '../../policy.ts'
import type { Section, SectionContext } from '../section.ts'

const challenge = (removal: 'any' | 'standing', red: 'b-line' | 'meander'): Section =>
  measured({ parts: ['challenge'], removals: [removal], reds: [red] })

export const POLICY_PARTS: Readonly<Record<string, Section>> = {
  'any-b-line': challenge('any', 'b-line'),
  'any-meander': challenge('any', 'meander'),
  'standing-b-line': challenge('standing', 'b-line'),
  'standing-meander': challenge('standing', 'meander'),
  unseen: measured({ parts: ['unseen'] }),
}

const TINY: PolicyFigureOptions = { iterations: 1, rounds: 1, stepsOfRound: 100, episodes: 2 }

function measured(options: PolicyFigureOptions): Section {
  return async ({ seed, tiny, sheet, progress }: SectionContext) => {
    const figures = policyFigures({ ...options, ...(tiny ? TINY : {}), seeds: [seed], onProgress: progress })
    for (const figure of figures) sheet.record(titleOf(figure), figure.agent, { [figure.red]: figure.mean })
  }
}

/** Mean total reward of 100 steps. */
function titleOf({ part, removal }: PolicyFigure): string {
  if (part === 'challenge') return `Policy in the network of the challenge, removal ${removal}`
  return part === 'unseen' ? 'Policy in networks that no organisation has' : "Policy in the organisations' own networks"
}
