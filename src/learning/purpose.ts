/**
 * What a training is for. Part of its configuration, so of what every participant signs in the block: a hub cannot say one
 * purpose to an organisation, whose budget pays, and another to readers of the ledger. What a name means is agreed in the
 * federation; that the hub uses it truly is its word, which is why the budget of the whole data set binds as well.
 */

import { z } from 'zod'
import type { Json } from '../base/canonical.ts'

/** Of trainings that name none, those of earlier versions among them. */
export const PURPOSE_DEFAULT = 'training'

export const PURPOSE_EXPECTED = 'expected a purpose like "tuning": up to 32 lower-case letters, digits and hyphens'

/** Short, so that a refusal which names it fits into a reason; no list, since federations have purposes of their own. */
export const purposeSchema = z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}$/, { error: PURPOSE_EXPECTED })

export const purposeOf = ({ purpose }: { readonly purpose?: string }): string => purpose ?? PURPOSE_DEFAULT

/** Why an organisation that serves these purposes only (absent = all) takes no part; undefined if it does. */
export function purposeProblem(config: { readonly purpose?: string }, served?: readonly string[]): string | undefined {
  const purpose = purposeOf(config)
  if (served === undefined || served.includes(purpose)) return undefined
  return `this organisation does not train for the purpose "${purpose}": "purposes" in its entente.yaml does not name it`
}

/** Whether such an organisation serves the training of a block; of one too long to be recorded it cannot know, and does not. */
export function servesRecorded(config: Json, served?: readonly string[]): boolean {
  if (served === undefined) return true
  const parsed = recordedSchema.safeParse(config)
  return parsed.success && purposeProblem(parsed.data, served) === undefined
}

const recordedSchema = z.looseObject({ model: z.unknown(), purpose: purposeSchema.exactOptional() }).refine(
  // A digest in its place says nothing.
  ({ model }) => model !== undefined,
)
