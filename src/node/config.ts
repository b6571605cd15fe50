/** `entente.yaml`: read once at start, strictly. A misspelt key is an error with its line, never a silent default. */

import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { z } from 'zod'
import { type EntenteError, fail } from '../base/errors.ts'
import { type FederationId, federationId, type OrganisationId, organisationId } from '../base/ids.ts'
import { parseYaml, refuse, type Source } from './config-source.ts'
import { HIDING_PROTECTIONS, protectionSchema } from '../learning/masking-config.ts'
import { MECHANISMS, UNTRUSTING_MECHANISMS } from '../learning/mechanisms.ts'
import { PURPOSE_EXPECTED, purposeSchema } from '../learning/purpose.ts'
import { LOG_FORMATS } from '../telemetry/interaction.ts'
import { LOG_LEVELS } from './logging.ts'
import { responseSchema } from './policy/response-config.ts'
import { replaceFile } from './replace-file.ts'

export const CONFIG_FILE = 'entente.yaml'

const listenSchema = z
  .strictObject({ host: z.string().min(1).default('127.0.0.1'), port: z.int().min(0).max(65535).default(0) })
  .prefault({})

const common = {
  federation: named(federationId),
  listen: listenSchema,
  database: z
    .strictObject({
      url: z.url({
        protocol: /^postgres(ql)?$/,
        error: 'expected an address like postgres://user:password@host:5432/database',
      }),
    })
    .optional(),
  logLevel: z.enum(LOG_LEVELS).default('info'),
}

const cidr = z.string().refine(isCidr, { error: 'expected a network like 192.168.0.0/16 or fd00::/8' })

const dataSchema = z.strictObject({
  paths: z.array(z.string().min(1)).default([]),
  format: z.enum(['auto', ...LOG_FORMATS]).default('auto'),
  localNetworks: z.array(cidr).default(['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16']),
  trainUntil: z.number().nullable().default(null),
  labels: z
    .union([z.literal('all'), z.array(z.string().min(1))], { error: 'expected "all" or a list of attack families' })
    .default('all'),
})

const epsilonSchema = z.number().positive().max(100)
const limitShape = { delta: z.number().positive().max(1e-2).default(1e-5) }

/** What all trainings together may take from this organisation's data. Absent values are the cautious ones. */
const privacyBudgetSchema = z.strictObject({
  epsilon: epsilonSchema.default(8),
  ...limitShape,
  /** Of it, what trainings for one purpose may take; one that is not named may take all. */
  purposes: z
    .record(purposeSchema, z.strictObject({ epsilon: epsilonSchema, ...limitShape }), {
      error: ({ code }) => (code === 'invalid_key' ? PURPOSE_EXPECTED : undefined),
    })
    .default({}),
})

/** The key of rounds under encryption, as `entente keys deal` wrote it: relative to the node's directory. */
const encryptionSchema = z.strictObject({ parameters: z.string().min(1), share: z.string().min(1) })

const hubSchema = z.strictObject({
  role: z.literal('hub'),
  encryption: encryptionSchema.omit({ share: true }).optional(),
  /** Threads that a robust rule computes on; absent: as many as there are processors, four at most. */
  aggregationThreads: z.int().min(1).max(64).optional(),
  ...common,
})

const organisationSchema = z.strictObject({
  role: z.literal('organisation'),
  organisation: named(organisationId),
  hub: z.strictObject({
    urls: z.array(z.url({ protocol: /^https$/, error: 'expected an address like https://hub.example:8443' })).min(1),
  }),
  data: dataSchema.prefault({}),
  /** The network and the attacker that this organisation's response policy learns against; absent: it trains none. */
  response: responseSchema.optional(),
  privacyBudget: privacyBudgetSchema.prefault({}),
  /**
   * Which protections of updates this organisation takes part in. `plain` lets the hub see them: only a test federation
   * names it.
   */
  protections: z
    .array(protectionSchema)
    .min(1)
    .default([...HIDING_PROTECTIONS]),
  /** What trainings may be for that this organisation takes part in; absent: anything. */
  purposes: z.array(purposeSchema).min(1).optional(),
  encryption: encryptionSchema.optional(),
  /** Whether trainings without differential privacy are declined: a budget bounds only what says what it takes. */
  requirePrivacy: z.boolean().default(true),
  /** Whose noise this organisation relies on where a training protects whole organisations. With `central-discrete-gaussian` it trusts the hub. */
  noiseMechanisms: z
    .array(z.enum(MECHANISMS))
    .min(1)
    .default([...UNTRUSTING_MECHANISMS]),
  /** Whether new models are tried on rows from `data.trainUntil` on, and the hub is told, coarsely and with noise, how they did. */
  validateModels: z.boolean().default(true),
  /** Threads that a training computes on; the model is the same, bit for bit, with any number. */
  trainingThreads: z.int().min(1).max(64).default(1),
  ...common,
})

const configSchema = z.discriminatedUnion('role', [hubSchema, organisationSchema])

export type OrganisationConfig = z.infer<typeof organisationSchema>
export type NodeConfig = z.infer<typeof configSchema>
export type Environment = Readonly<Record<string, string | undefined>>

/** A name whose rules are those of base/ids.ts. */
function named<Id extends FederationId | OrganisationId>(parse: (name: string) => Id) {
  return z.string().transform((name, context): Id => {
    try {
      return parse(name)
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as EntenteError).message })
      return z.NEVER
    }
  })
}

function isCidr(text: string): boolean {
  const [address = '', bits = '', ...rest] = text.split('/')
  if (rest.length > 0 || !/^\d{1,3}$/.test(bits)) return false
  const version4 = z.ipv4().safeParse(address).success
  return (version4 || z.ipv6().safeParse(address).success) && Number(bits) <= (version4 ? 32 : 128)
}

/**
 * Reads the text of a configuration file. `${NAME}` in a value stands for an environment variable; DATABASE_URL, where it
 * is set, replaces `database.url`.
 * @throws config-invalid naming line, key and what is allowed there
 */
export function parseConfig(text: string, environment: Environment, file = CONFIG_FILE): NodeConfig {
  const source = parseYaml(text, environment, file)
  const parsed = configSchema.safeParse(withDatabaseOf(source, environment))
  if (!parsed.success) refuse(source, parsed.error, configSchema)
  return parsed.data
}

function withDatabaseOf({ value }: Source, environment: Environment): unknown {
  const url = environment['DATABASE_URL']
  if (!url || typeof value !== 'object' || value === null) return value
  return { ...value, database: { url } }
}

/** Reads `entente.yaml` of a node's directory; `data.paths` become absolute, relative ones counting from there. */
export async function readConfig(directory: string, environment: Environment = process.env): Promise<NodeConfig> {
  const path = join(directory, CONFIG_FILE)
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) =>
    fail(
      'config-invalid',
      error.code === 'ENOENT'
        ? `${path} does not exist: make it with "entente hub init" or "entente org join"`
        : `${path} cannot be read: ${error.message}`,
    ),
  )
  const config = parseConfig(text, environment, path)
  if (config.role === 'hub') {
    if (config.encryption === undefined) return config
    return { ...config, encryption: { parameters: resolve(directory, config.encryption.parameters) } }
  }
  const { encryption } = config
  const key =
    encryption === undefined
      ? {}
      : {
          encryption: {
            parameters: resolve(directory, encryption.parameters),
            share: resolve(directory, encryption.share),
          },
        }
  const data = { ...config.data, paths: config.data.paths.map((each) => resolve(directory, each)) }
  if (config.response?.topology.endsWith('.json') !== true) return { ...config, ...key, data }
  return {
    ...config,
    ...key,
    data,
    response: { ...config.response, topology: resolve(directory, config.response.topology) },
  }
}

/** Writes a new configuration file; it may hold a database password, so only the owner can read it. */
export async function writeConfig(directory: string, text: string): Promise<void> {
  await replaceFile(join(directory, CONFIG_FILE), text, 0o600)
}
