/** Requests and responses of the ledger routes: section 7.2 of the ledger document. */

import { z } from 'zod'
import { anythingSchema, blockSchema, digestSchema, heightSchema } from './common.ts'

export const blocksQuery = z.object({ from_height: heightSchema.default(0), to_height: heightSchema.optional() })
export const blocksResponse = z.object({ blocks: z.array(blockSchema) })
export const blockParams = z.object({ height: heightSchema })
export const blockResponse = z.object({ block: blockSchema })
export const provenanceParams = z.object({ model_hash: digestSchema })
export const provenanceResponse = z.object({
  lineage: z.array(z.string()).describe('model versions, the first ancestor first'),
  train_history: z.array(anythingSchema).describe('one entry a version, in the same order'),
})
export const verifyRequest = z.strictObject({
  model_hash: digestSchema,
  org_signatures: z.record(z.string(), z.string().max(128)).optional().describe('absent: those in the block'),
})
export const verifyResponse = z.object({
  verified: z.boolean().describe('the block holds, and every signature shown is one of a participant'),
  trust_score: z.number().describe("share of the block's participants whose valid signature was shown, 0 to 1"),
})
