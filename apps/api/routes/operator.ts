/** What the hub's operator does, with the operator's own certificate. */

import { encodeInvitation } from '../../../src/node/transport/invitation.ts'
import type { Hub } from '../../../src/node/hub.ts'
import { requireOperator } from '../peer.ts'
import { anythingSchema, parseDigest, parseOrganisation } from '../schemas/common.ts'
import {
  invitationRequest,
  invitationResponse,
  organisationParams,
  organisationsResponse,
  removalRequest,
  roundParams,
  trainingParams,
  trainingRequest,
  trainingResponse,
  trainingsResponse,
} from '../schemas/operator.ts'
import type { Api } from '../server.ts'

export interface InvitationContent {
  /** PEM certificate of the federation's authority. */
  readonly authority: string
  readonly urls: () => readonly string[]
}

type Records = Record<string, unknown>[]

export function operatorRoutes(app: Api, prefix: string, hub: Hub, content: InvitationContent): void {
  const base = `${prefix}/operator`
  app.addHook('onRequest', async (request) => {
    if (request.url.startsWith(`${base}/`)) requireOperator(hub, request)
  })

  app.post(
    `${base}/invitations`,
    { schema: { body: invitationRequest, response: { 200: invitationResponse } } },
    async (request) => {
      const { organisation, lifetime_ms, urls } = request.body
      const { token, expiresAt } = await hub.invite({
        ...(organisation === undefined ? {} : { organisation: parseOrganisation(organisation) }),
        ...(lifetime_ms === undefined ? {} : { lifetimeMs: lifetime_ms }),
      })
      const { federation } = hub
      const invitation = {
        v: 1 as const,
        federation,
        urls: [...(urls ?? content.urls())],
        authority: content.authority,
        token,
        expiresAt,
      }
      return { invitation: encodeInvitation(invitation), expires_at: expiresAt }
    },
  )

  app.get(`${base}/organisations`, { schema: { response: { 200: organisationsResponse } } }, async () => ({
    organisations: (await hub.organisations()) as unknown as Records,
  }))

  app.delete(
    `${base}/organisations/:org_id`,
    { schema: { params: organisationParams, body: removalRequest } },
    async (request, reply) => {
      await hub.removeOrganisation(parseOrganisation(request.params.org_id), request.body.reason)
      return reply.status(204).send()
    },
  )

  app.post(
    `${base}/trainings`,
    { schema: { body: trainingRequest, response: { 200: trainingResponse } } },
    async (request) => {
      const { config, training_id, initial_model } = request.body
      const started = await hub.startTraining({
        config,
        ...(training_id === undefined ? {} : { trainingId: training_id }),
        ...(initial_model === undefined ? {} : { initialModel: parseDigest(initial_model) }),
      })
      const { trainingId, roundId, initialModel, deadline } = started
      return { training_id: trainingId, round_id: roundId, initial_model: initialModel, deadline }
    },
  )

  app.get(`${base}/trainings`, { schema: { response: { 200: trainingsResponse } } }, async () => ({
    trainings: (await hub.trainings()) as Records,
  }))

  app.get(
    `${base}/trainings/:training_id`,
    { schema: { params: trainingParams, response: { 200: anythingSchema } } },
    async (request) => (await hub.training(request.params.training_id)) as Record<string, unknown>,
  )

  app.delete(`${base}/trainings/:training_id`, { schema: { params: trainingParams } }, async (request, reply) => {
    await hub.stopTraining(request.params.training_id)
    return reply.status(204).send()
  })

  app.get(
    `${base}/rounds/:round_id`,
    { schema: { params: roundParams, response: { 200: anythingSchema } } },
    async (request) => (await hub.round(request.params.round_id)) as Record<string, unknown>,
  )

  app.get(`${base}/status`, { schema: { response: { 200: anythingSchema } } }, async () => ({
    ...(await hub.status()),
  }))
}
