/**
 * The document's way to start a round. A round belongs to a training, so it starts one, of a single round by default, that
 * counts from `round_number`.
 */

import { fromBase64 } from '../../../src/base/bytes.ts'
import { fail } from '../../../src/base/errors.ts'
import type { Digest } from '../../../src/base/ids.ts'
import { privacyParams } from '../../../src/learning/block-content.ts'
import type { Hub } from '../../../src/node/hub.ts'
import { writeBlob } from '../../../src/node/model-files.ts'
import { requireOperator } from '../peer.ts'
import { parseDigest } from '../schemas/common.ts'
import { startRoundRequest, startRoundResponse } from '../schemas/federation.ts'
import type { Api } from '../server.ts'

const INLINE_BYTES_MAX = 1 << 20

type GlobalWeights = { digest: string } | { inline: string } | { init: string }

export function roundRoutes(app: Api, prefix: string, hub: Hub): void {
  app.post(
    `${prefix}/federation/start-round`,
    { schema: { body: startRoundRequest, response: { 200: startRoundResponse } } },
    async (request) => {
      requireOperator(hub, request)
      const { round_number, global_weights, config } = request.body
      const seed = 'init' in global_weights ? { seed: global_weights.init } : {}
      const initialModel = await initialModelOf(hub, global_weights)
      const started = await hub.startTraining({
        config: { rounds: 1, ...config, ...seed },
        firstRound: round_number,
        ...(initialModel === undefined ? {} : { initialModel }),
      })
      return {
        round_id: started.roundId,
        deadline: started.deadline,
        privacy_params: privacyParams(started.config, started.config.rounds),
      }
    },
  )
}

async function initialModelOf(hub: Hub, weights: GlobalWeights): Promise<Digest | undefined> {
  if ('init' in weights) return undefined
  if ('digest' in weights) return parseDigest(weights.digest)
  const bytes = fromBase64(weights.inline)
  if (bytes === undefined) fail('invalid-request', 'global_weights.inline is not base64 (RFC 4648 section 4)')
  if (bytes.length > INLINE_BYTES_MAX)
    fail('body-too-large', 'at most 1 MiB can be sent inline; upload a blob and give its digest')
  return (await writeBlob(hub.ports.blobs, bytes)).digest
}
