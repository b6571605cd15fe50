/** The configuration file that `init` and `join` write: every key, with what it means. */

export interface HubTemplate {
  readonly role: 'hub'
  readonly federation: string
  readonly logLevel?: string
  readonly listen?: { readonly host: string; readonly port: number }
}

export interface OrganisationTemplate {
  readonly role: 'organisation'
  readonly federation: string
  readonly organisation: string
  readonly hubUrls: readonly string[]
  readonly listen?: { readonly host: string; readonly port: number }
  readonly data?: {
    readonly paths: readonly string[]
    readonly format?: string
    readonly localNetworks?: readonly string[]
    readonly trainUntil?: number | null
    readonly labels?: 'all' | readonly string[]
  }
  readonly logLevel?: string
}

/** Text of a commented `entente.yaml`. Values are written as JSON, which is YAML, so that no name can break the file. */
export function configText(template: HubTemplate | OrganisationTemplate): string {
  const parts =
    template.role === 'hub'
      ? [head(template), HUB, DATABASE, logPart(template)]
      : [head(template), organisationPart(template), DATABASE, logPart(template)]
  return parts.join('\n')
}

function head({
  role,
  federation,
  listen = { host: '127.0.0.1', port: 0 },
}: HubTemplate | OrganisationTemplate): string {
  const address =
    role === 'hub'
      ? 'Where organisations reach this hub (HTTPS with mutual TLS).'
      : 'Where commands on this machine reach this node. Nothing needs to reach it from outside.'
  return `# Configuration of an Entente node. Unknown keys are errors. \${NAME} stands for an environment variable.
role: ${role}
federation: ${JSON.stringify(federation)}

# ${address} Port 0: any free port, see runtime.json.
listen:
  host: ${JSON.stringify(listen.host)}
  port: ${listen.port}
`
}

function organisationPart({ organisation, hubUrls, data = { paths: [] } }: OrganisationTemplate): string {
  return `organisation: ${JSON.stringify(organisation)}

# The hub, at one address or at several that serve the same federation.
hub:
  urls: ${JSON.stringify(hubUrls)}

data:
  # Log files to learn from, relative to this directory.
  paths: ${JSON.stringify(data.paths)}
  # auto, zeek-tsv, zeek-json, suricata-eve or darpa-csv
  format: ${JSON.stringify(data.format ?? 'auto')}
  # Addresses of this organisation; everything else is outside.
  localNetworks: ${JSON.stringify(data.localNetworks ?? ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'])}
  # Learn from what happened before this time only (seconds since 1970); null: from everything.
  trainUntil: ${JSON.stringify(data.trainUntil ?? null)}
  # Attack families that were investigated here, so that their labels are known: a list, or all.
  labels: ${JSON.stringify(data.labels ?? 'all')}

# How updates are kept from the hub in rounds that this organisation takes part in. plain would show them to it.
protections: [secagg]

# What all trainings together may take from this organisation's data, and of that those for one purpose. Trainings that name
# none are for "training"; the scores of new models (validateModels) have the purpose "validation".
privacyBudget:
  epsilon: 8
  delta: 0.00001
  # purposes:
  #   tuning: { epsilon: 2 }

# Take part in trainings for these purposes only. Without it: in any.
# purposes: [training]

# This organisation's share of a key, dealt with "entente keys deal", for rounds under encryption (protections: [paillier]
# or [ckks]; under ckks every holder of a share can read every update).
# encryption:
#   parameters: keys/parameters.json
#   share: keys/share.json

# Decline trainings that take without counting, with no differential privacy at all (response policies learn from no data
# and are not meant).
requirePrivacy: true

# Whose noise to rely on in trainings that protect whole organisations. With central-discrete-gaussian, added to these, the
# hub may add it: the least noise, for who trusts the hub to do so and to keep the sums without it to itself.
noiseMechanisms: [local-discrete-gaussian, distributed-discrete-gaussian, distributed-skellam]

# Try each new model on own rows from data.trainUntil on, and tell the hub whether it became better or worse: in tenths,
# with noise that hides every single row (docs/reference/privacy.md). Without trainUntil there is nothing to try it on.
validateModels: true

# Threads that a training computes on; any number gives the same model. More help where processors are idle.
trainingThreads: 1

# The network that a response policy learns to defend here, and its attacker; without it this node trains none.
# response:
#   # cage2, cage2-repaired, a JSON file relative to this directory, or any other text: the seed of a drawn network
#   topology: cage2
#   # b-line, meander or sleep; or a list
#   attacker: b-line
`
}

const HUB = `# Threads that a robust rule computes on while it aggregates; any number gives the same model. Without this: as many as
# there are processors, four at most.
# aggregationThreads: 2
`

const DATABASE = `# Without this the node runs a private PostgreSQL in this directory. DATABASE_URL, if set, comes first.
# database:
#   url: postgres://user:password@host:5432/database
`

const logPart = ({
  logLevel = 'info',
}: {
  logLevel?: string | undefined
}) => `# fatal, error, warn, info, debug, trace or silent
logLevel: ${logLevel}
`
