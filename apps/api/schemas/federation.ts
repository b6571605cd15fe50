/** Requests and responses of the federation routes: section 7.1 of the ledger document. */

import { z } from 'zod'
import {
  anythingSchema,
  digestSchema,
  headerSchema,
  millisecondsSchema,
  organisationSchema,
  publicKeySchema,
  signatureSchema,
} from './common.ts'

export const registerRequest = z.strictObject({
  org_id: organisationSchema,
  public_key: z.strictObject({
    signing: publicKeySchema.describe('Ed25519: signs envelopes and blocks'),
    agreement: publicKeySchema.describe('X25519'),
    csr: z.string().min(1).max(8192).describe('PEM of the PKCS #10 request for the TLS certificate, P-256'),
    proof: signatureSchema.describe('by the signing key, domain "registration", over the canonical registration'),
  }),
  endpoint: z.string().max(2048),
  capabilities: z.array(z.string().min(1).max(64)).max(64),
})

export const registerResponse = z.object({
  registration_token: z
    .string()
    .describe("the hub's signed receipt of the registration, an envelope in base64url JSON"),
  global_config: z.object({
    federation: z.string(),
    hub_key: publicKeySchema,
    ledger: z.object({ origin: z.string(), key: publicKeySchema }),
    tls: z.object({ authority: z.string(), certificate: z.string() }),
  }),
})

export const renewalRequest = z.strictObject({ csr: z.string().min(1).max(8192).describe('PEM, PKCS #10, P-256') })
export const renewalResponse = z.object({ certificate: z.string().describe('PEM') })

export const startRoundRequest = z.strictObject({
  round_number: z
    .int()
    .min(1)
    .max(1_000_000)
    .describe('number of the round; with config.rounds above 1 the following ones open by themselves'),
  global_weights: z.union([
    z.strictObject({ digest: digestSchema }).describe('an uploaded model'),
    z.strictObject({ inline: z.string() }).describe('a safetensors file of at most 1 MiB, base64'),
    z.strictObject({ init: z.string().min(1).max(128) }).describe('a new model, initialised from this seed'),
  ]),
  config: anythingSchema.describe('a training configuration; `rounds` is 1 unless given'),
})

export const startRoundResponse = z.object({
  round_id: z.string(),
  deadline: millisecondsSchema,
  privacy_params: z.unknown(),
})

export const submitGradientRequest = z.strictObject({
  round_id: z.string(),
  org_id: z.string(),
  encrypted_gradient: anythingSchema.describe(
    '{blob: {digest, size}} or {inline: base64 of at most 1 MiB}, with base_model, sample_count, stages, metrics',
  ),
  signature: z
    .strictObject({ header: headerSchema, value: signatureSchema })
    .describe('header and signature of the envelope whose body is {round_id, org_id, encrypted_gradient}'),
})

export const receiptResponse = z.object({ ack: z.string().describe('id of the envelope, which is durable now') })
export const submitGradientResponse = receiptResponse.extend({ aggregation_eta: millisecondsSchema })

export const globalModelQuery = z.object({
  model_version: z
    .string()
    .min(1)
    .max(160)
    .default('latest')
    .describe('latest, a digest, a version, or <training>/<version>'),
  inline: z.enum(['true', 'false']).default('false').describe('adds the file in base64 if it has at most 1 MiB'),
})

export const globalModelResponse = z.object({
  weights: z.object({ digest: z.string(), size: z.int(), inline: z.string().optional() }),
  hash: z.string(),
  provenance: anythingSchema,
  signatures: z.record(z.string(), z.string()),
})

export const mailboxQuery = z.object({
  after: z.coerce.number().int().nonnegative().default(0),
  wait: z.coerce.number().int().min(0).max(60_000).default(0).describe('milliseconds to wait for the first letter'),
})

export const mailboxResponse = z.object({ mail: z.array(z.object({ position: z.int(), envelope: z.unknown() })) })
