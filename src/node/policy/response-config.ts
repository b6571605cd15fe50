/** `response:` of an organisation's entente.yaml: the network and the attacker that its policy learns against. */

import { z } from 'zod'
import { RED_AGENTS } from '../../models/response/red-agents.ts'
import { REMOVALS } from '../../models/response/turn.ts'

const attacker = z.enum(RED_AGENTS)

export const responseSchema = z.strictObject({
  /** `cage2`, `cage2-repaired`, a file that ends in .json, or any other text: the seed of a drawn network. */
  topology: z.string().min(1).max(4096).default('cage2'),
  /** One attacker, or several whose episodes are mixed. */
  attacker: z.union([attacker, z.array(attacker).min(1).max(4)]).default('b-line'),
  /** Steps of an episode. */
  steps: z.int().min(1).max(10_000).default(100),
  /** Slots that the federation agreed on. */
  slots: z.int().min(1).max(64).default(13),
  removal: z.enum(REMOVALS).default('standing'),
})

export type ResponseConfig = z.infer<typeof responseSchema>
