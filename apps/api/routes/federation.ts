/** Messages of organisations and their mailboxes. */

import type { FastifyReply } from 'fastify'
import { type Envelope, parseEnvelope } from '../../../src/base/envelope.ts'
import type { Hub } from '../../../src/node/hub.ts'
import { requireOrganisation } from '../peer.ts'
import { envelopeBodySchema } from '../schemas/common.ts'
import {
  mailboxQuery,
  mailboxResponse,
  receiptResponse,
  submitGradientRequest,
  submitGradientResponse,
} from '../schemas/federation.ts'
import type { Api } from '../server.ts'

export function federationRoutes(app: Api, prefix: string, hub: Hub): void {
  /** Ends the long polls when the server closes. */
  const closing = new AbortController()
  app.addHook('preClose', async () => closing.abort())

  app.post(
    `${prefix}/federation/submit-gradient`,
    { schema: { body: submitGradientRequest, response: { 200: submitGradientResponse } } },
    async (request) => {
      const peer = await requireOrganisation(hub, request)
      const { signature, ...body } = request.body
      const { ack, aggregation_eta = 0 } = await hub.receive(envelopeOf(signature.header, body, signature.value), {
        peer,
      })
      return { ack, aggregation_eta }
    },
  )

  app.post(
    `${prefix}/federation/messages`,
    { schema: { body: envelopeBodySchema, response: { 200: receiptResponse } } },
    async (request) => {
      const peer = await requireOrganisation(hub, request)
      const { ack } = await hub.receive(parseEnvelope(request.body), { peer })
      return { ack }
    },
  )

  app.get(
    `${prefix}/federation/mailbox`,
    { schema: { querystring: mailboxQuery, response: { 200: mailboxResponse } } },
    async (request, reply) => {
      const organisation = await requireOrganisation(hub, request)
      const { after, wait } = request.query
      const signal = AbortSignal.any([closing.signal, goneSignal(reply)])
      return { mail: [...(await hub.mailbox(organisation, after, wait, signal))] }
    },
  )
}

function envelopeOf(header: unknown, body: unknown, signature: string): Envelope {
  return parseEnvelope({ header, body, signature })
}

/** Aborts when the client hangs up, so that nobody waits for mail on behalf of nobody. */
function goneSignal(reply: FastifyReply): AbortSignal {
  const gone = new AbortController()
  reply.raw.once('close', () => gone.abort())
  return gone.signal
}
