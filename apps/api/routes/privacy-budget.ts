/**
 * What an organisation's privacy budget still allows. Only its own administrator asks: what was spent, and on what, is the
 * organisation's business, so the hub has no such figures to give.
 */

import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import { fail } from '../../../src/base/errors.ts'
import { OWN_DATA, type PrivacyBudget } from '../../../src/node/privacy-budget/privacy-budget.ts'
import type { Statement } from '../../../src/privacy/dp/statement.ts'
import type { Api } from '../server.ts'

const limitSchema = z.object({ epsilon: z.number(), delta: z.number() })
const statementShape = {
  remaining_epsilon: z.number(),
  remaining_delta: z.number(),
  /** Epsilon of everything spent and reserved, composed, at the limit's delta; null: that delta is used up, so none is enough. */
  total_used: z.number().nullable(),
}
const budgetSchema = z.object({
  dataset: z.string(),
  limit: limitSchema,
  ...statementShape,
  purposes: z.array(z.object({ purpose: z.string(), limit: limitSchema.nullable(), ...statementShape })),
})

export interface BudgetSource {
  readonly budget: PrivacyBudget
  authorise(request: FastifyRequest): Promise<void>
}

export function privacyBudgetRoute(app: Api, prefix: string, { budget, authorise }: BudgetSource): void {
  app.get(
    `${prefix}/privacy/privacy-budget`,
    {
      schema: {
        querystring: z.strictObject({ dataset: z.string().max(63).default(OWN_DATA) }),
        response: { 200: budgetSchema },
      },
    },
    async (request) => {
      await authorise(request)
      const { dataset } = request.query
      const held = (await budget.statements()).find((statement) => statement.dataset === dataset)
      if (held === undefined) fail('not-found', `there is no privacy budget for the data set "${dataset}"`)
      return { ...sayable(held), purposes: held.purposes.map(sayable) }
    },
  )
}

/** JSON has no infinity. */
function sayable<S extends Statement>(statement: S): Omit<S, 'total_used'> & { total_used: number | null } {
  const { total_used: used } = statement
  return { ...statement, total_used: Number.isFinite(used) ? used : null }
}
