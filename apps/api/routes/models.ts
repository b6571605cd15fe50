/** Models of the ledger: their provenance, and their files. */

import type { FastifyRequest } from 'fastify'
import { toBase64 } from '../../../src/base/bytes.ts'
import { fail } from '../../../src/base/errors.ts'
import type { LedgerReader } from '../../../src/node/ledger-reader.ts'
import type { Blobs } from '../../../src/node/ports.ts'
import { globalModelQuery, globalModelResponse } from '../schemas/federation.ts'
import type { Api } from '../server.ts'

const INLINE_BYTES_MAX = 1 << 20

export function modelRoutes(
  app: Api,
  prefix: string,
  source: { readonly ledger: LedgerReader; readonly blobs: Blobs },
  authorise: (request: FastifyRequest) => Promise<unknown>,
): void {
  app.get(
    `${prefix}/federation/global-model`,
    { schema: { querystring: globalModelQuery, response: { 200: globalModelResponse } } },
    async (request) => {
      await authorise(request)
      const block = await source.ledger.blockOfVersion(request.query.model_version)
      const size = await source.blobs.size(block.model_hash)
      if (size === undefined) fail('blob-missing', `the file of the model ${block.model_hash} is not here`)
      const weights = { digest: block.model_hash, size }
      const inline = request.query.inline === 'true' && size <= INLINE_BYTES_MAX
      return {
        weights: inline ? { ...weights, inline: await contentOf(source.blobs, block.model_hash) } : weights,
        hash: block.model_hash,
        provenance: { ...block.provenance },
        signatures: { ...block.org_signatures },
      }
    },
  )
}

async function contentOf(blobs: Blobs, model: Parameters<Blobs['open']>[0]): Promise<string> {
  const reader = await blobs.open(model)
  try {
    const bytes = new Uint8Array(reader.size)
    await reader.read(0, bytes)
    return toBase64(bytes)
  } finally {
    await reader.close()
  }
}
