/** Requests of the operator's routes. */

import { z } from 'zod'
import { anythingSchema, digestSchema, millisecondsSchema, organisationSchema } from './common.ts'

export const invitationRequest = z.strictObject({
  organisation: organisationSchema.optional().describe('the only name that it admits; absent: any that is free'),
  lifetime_ms: z
    .int()
    .min(1000)
    .max(365 * 86_400_000)
    .optional(),
  urls: z
    .array(z.url({ protocol: /^https$/ }))
    .min(1)
    .max(16)
    .optional()
    .describe("the hub's addresses as organisations reach them"),
})
export const invitationResponse = z.object({ invitation: z.string(), expires_at: millisecondsSchema })

export const organisationsResponse = z.object({ organisations: z.array(anythingSchema) })
export const organisationParams = z.object({ org_id: organisationSchema })
export const removalRequest = z.strictObject({ reason: z.string().min(1).max(256) })

export const trainingRequest = z.strictObject({
  config: anythingSchema,
  training_id: z.string().optional(),
  initial_model: digestSchema.optional(),
})
export const trainingResponse = z.object({
  training_id: z.string(),
  round_id: z.string(),
  initial_model: z.string(),
  deadline: millisecondsSchema,
})
export const trainingsResponse = z.object({ trainings: z.array(anythingSchema) })
export const trainingParams = z.object({ training_id: z.string().max(64) })
export const roundParams = z.object({ round_id: z.string().max(80) })
