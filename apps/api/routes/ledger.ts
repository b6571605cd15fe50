/** Reads of a ledger, for the hub's API and for an organisation's own replica alike. */

import type { FastifyRequest } from 'fastify'
import type { LedgerExport } from '../../../src/ledger/export.ts'
import { BLOCKS_MAX, type LedgerReader } from '../../../src/node/ledger-reader.ts'
import { anythingSchema, parseDigest } from '../schemas/common.ts'
import {
  blockParams,
  blockResponse,
  blocksQuery,
  blocksResponse,
  provenanceParams,
  provenanceResponse,
} from '../schemas/ledger.ts'
import type { Api } from '../server.ts'

export interface LedgerSource {
  readonly ledger: LedgerReader
  exportLedger(): Promise<LedgerExport>
}

export function ledgerRoutes(
  app: Api,
  prefix: string,
  source: LedgerSource,
  authorise: (request: FastifyRequest) => Promise<unknown>,
): void {
  const { ledger } = source

  app.get(
    `${prefix}/ledger/blocks`,
    { schema: { querystring: blocksQuery, response: { 200: blocksResponse } } },
    async (request) => {
      await authorise(request)
      const { from_height: from, to_height: to = from + BLOCKS_MAX - 1 } = request.query
      return { blocks: [...(await ledger.blocks(from, to))] as never[] }
    },
  )

  app.get(
    `${prefix}/ledger/block/:height`,
    { schema: { params: blockParams, response: { 200: blockResponse } } },
    async (request) => {
      await authorise(request)
      return { block: (await ledger.block(request.params.height)) as never }
    },
  )

  app.get(
    `${prefix}/ledger/provenance/:model_hash`,
    { schema: { params: provenanceParams, response: { 200: provenanceResponse } } },
    async (request) => {
      await authorise(request)
      const generations = [...(await ledger.lineage(parseDigest(request.params.model_hash)))].reverse()
      return { lineage: generations.map((one) => one.modelVersion), train_history: generations.map(historyEntry) }
    },
  )

  app.get(`${prefix}/ledger/export`, { schema: { response: { 200: anythingSchema } } }, async (request) => {
    await authorise(request)
    return { ...(await source.exportLedger()) }
  })
}

type Generation = Awaited<ReturnType<LedgerReader['lineage']>>[number]

function historyEntry(one: Generation) {
  return {
    model_version: one.modelVersion,
    model_hash: one.modelHash,
    parent_model: one.parentModel,
    training_id: one.trainingId,
    round: one.round,
    strategy: one.strategy,
    participants: one.participants.map(({ organisation, sampleCount, signed }) => ({
      org_id: organisation,
      sample_count: sampleCount,
      signed,
    })),
    convergence: one.convergence,
    height: one.height,
    timestamp: one.timestamp,
    block_hash: one.blockHash,
  }
}
