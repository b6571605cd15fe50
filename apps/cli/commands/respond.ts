import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { Command } from 'commander'
import { fail } from '../../../src/base/errors.ts'
import { type AdvisedAction, type Advice, advise } from '../../../src/models/policy/advise.ts'
import { parseSituation, readSituation, type SituationDocument } from '../../../src/models/policy/situation.ts'
import { compileTopology } from '../../../src/models/response/network.ts'
import { withSlots } from '../../../src/models/response/topology.ts'
import { openTopology } from '../../../src/node/policy/environments.ts'
import { loadPolicy } from '../../../src/node/policy/policy-file.ts'
import { columns, print } from '../output.ts'
import { jsonOption } from './options.ts'

interface RespondOptions {
  readonly policy?: string
  readonly state?: string
  readonly example?: boolean
  readonly json?: boolean
}

/** What `--json` prints. */
interface RespondReport extends Advice {
  readonly policy: { readonly model_hash: string; readonly version: string }
  /** Always: this command changes nothing anywhere. */
  readonly acted: false
}

const ADVICE_ONLY = 'This is advice: nothing was done, and nothing will be unless somebody does it.'

export const EXAMPLE: SituationDocument = {
  format: 'entente-response-state-1',
  topology: 'cage2',
  slots: 13,
  history: [
    { hosts: {} },
    { did: 'decoy enterprise1', hosts: { user1: { activity: 'scan' } } },
    { did: 'decoy enterprise2', hosts: { user1: { activity: 'exploit' }, user3: { activity: 'scan' } } },
    { did: 'decoy operational-server', hosts: {} },
    { did: 'sleep', hosts: { enterprise1: { activity: 'scan' } } },
    { did: 'analyse enterprise1', hosts: { enterprise1: { activity: 'exploit' } } },
  ],
  unavailable: ['restore enterprise0'],
}

const HELP = `
The state is a JSON file: what sensors showed step after step, oldest first, and what was done in between.
  format       "entente-response-state-1"
  topology     cage2, cage2-repaired, a JSON file beside the state, or the seed of a drawn network
  slots        that the federation agreed on (13 unless said)
  history      steps: { "did": ACTION, "hosts": { HOST: { "activity": "none"|"scan"|"exploit", "belief":
               "clean"|"user"|"doubtful"|"system" } } }. The first has no "did". A belief lasts until something changes it:
               an exploit that is seen, a remove, a restore, or another belief.
  unavailable  actions that must not be advised
An ACTION is "sleep", or "analyse", "decoy", "remove" or "restore" with a host: "restore enterprise1".

Examples:
  $ entente respond --example > state.json
  $ entente model export --dir bank-a --out policy.safetensors
  $ entente respond --policy policy.safetensors --state state.json

It advises and never acts.`

export function respondCommand(): Command {
  return new Command('respond')
    .description('advise a defender on the next action, with the reason; it never acts')
    .option('--policy <file>', 'safetensors file of a response policy, as entente model export writes it')
    .option('--state <file>', 'what was seen and done so far, as JSON')
    .option('--example', 'print a state to start from')
    .addOption(jsonOption())
    .addHelpText('after', HELP)
    .action(async (options: RespondOptions) => {
      if (options.example === true) return print(EXAMPLE, { json: true }, String)
      const { policy, state } = options
      if (policy === undefined || state === undefined)
        return fail('config-invalid', 'both --policy and --state are needed; entente respond --example prints a state')
      print(await respond(policy, state), options, render)
    })
}

async function respond(policyPath: string, statePath: string): Promise<RespondReport> {
  const { policy, parameters, digest, version } = await loadPolicy(policyPath)
  const document = parseSituation(await readState(statePath))
  const file = document.topology.endsWith('.json') ? resolve(dirname(statePath), document.topology) : document.topology
  const network = compileTopology(withSlots(await openTopology(file), document.slots))
  const advice = advise(policy, parameters, readSituation(document, network))
  return { ...advice, policy: { model_hash: digest, version }, acted: false }
}

async function readState(path: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) =>
    fail('not-found', `the state ${path} cannot be read: ${cause.message}`),
  )
  try {
    return JSON.parse(text)
  } catch (cause) {
    return fail('invalid-request', `${path} is not JSON: ${String(cause)}`)
  }
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`

const actionText = ({ action, host }: AdvisedAction): string => (host === null ? action : `${action} ${host}`)

function render(report: RespondReport): string {
  const { probability, reason, alternatives, value, policy } = report
  const rows = [report, ...alternatives].map((one, i) => [
    i === 0 ? 'advised' : '',
    actionText(one),
    percent(i === 0 ? probability : one.probability),
  ])
  return [
    `Advice: ${actionText(report)} (${percent(probability)})`,
    `Reason: ${reason}`,
    `Value:  ${value.toFixed(1)} expected from here on, discounted`,
    '',
    columns([['', 'action', 'probability'], ...rows]),
    '',
    `Policy ${policy.version} (${policy.model_hash.slice(0, 16)}). ${ADVICE_ONLY}`,
  ].join('\n')
}
