/** Questions of trust that the hub answers; whoever does not believe it has the export and the keys. */

import type { Hub } from '../../../src/node/hub.ts'
import { requireReader } from '../peer.ts'
import { anythingSchema, parseDigest } from '../schemas/common.ts'
import { verifyRequest, verifyResponse } from '../schemas/ledger.ts'
import type { Api } from '../server.ts'

export function verifyRoutes(app: Api, prefix: string, hub: Hub): void {
  app.post(
    `${prefix}/ledger/verify`,
    { schema: { body: verifyRequest, response: { 200: verifyResponse } } },
    async (request) => {
      await requireReader(hub, request)
      const { model_hash, org_signatures } = request.body
      return hub.verifyModel(parseDigest(model_hash), org_signatures)
    },
  )

  app.get(`${prefix}/ledger/keys`, { schema: { response: { 200: anythingSchema } } }, async (request) => {
    await requireReader(hub, request)
    return { ...(await hub.ledgerKeys()) }
  })
}
