/**
 * `node bench/modes.ts [--organisations 10] [--parameters 1000000] [--rounds 3] [--modes plain,secagg] [--sparsify random-k:0.1]`:
 * what a round costs in each protection, in a federation of real processes on this machine, one federation a mode. Training
 * is kept trivial: what is left is moving, hiding, adding, opening and sealing. Processor time is what a busy machine cannot
 * hide; wall time is of all processes on it. Peak memory is that of a process since its start. Phases wait as long as they do
 * by default.
 */

import { readFile, stat } from 'node:fs/promises'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { dealKeys, dealtKey } from '../apps/cli/demo/deal-keys.ts'
import { addMember, type Federation, foundFederation, ingestAll } from '../apps/cli/demo/federation.ts'
import { sparsifyNamed } from '../apps/cli/demo/options.ts'
import { type EncryptionConfig, isEncrypted } from '../src/learning/encryption-config.ts'
import { parseTrainingConfig, type TrainingConfig } from '../src/learning/config.ts'
import { type Protection, PROTECTIONS, protectionSchema } from '../src/learning/masking-config.ts'
import { decodeLeaf } from '../src/ledger/leaf.ts'
import { setConfigValue } from '../src/node/config-edit.ts'
import { writeTraffic } from '../src/node/write-traffic.ts'
import { FEATURE_COUNT } from '../src/telemetry/features.ts'
import { summarise } from './measure.ts'
import { duration, printed, type Row } from './report.ts'

const { values } = parseArgs({
  options: {
    organisations: { type: 'string', default: '10' },
    parameters: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '3' },
    modes: { type: 'string', default: PROTECTIONS.join(',') },
    sparsify: { type: 'string' },
  },
})
const [organisations, parameters, rounds] = [values.organisations, values.parameters, values.rounds].map(Number) as [
  number,
  number,
  number,
]
const HOURS = 3_600_000
/** Kernel ticks are hundredths of a second on every Linux that Node runs on. */
const TICK_MS = 10

/** A perceptron of two equal layers of about so many parameters: h^2 + (inputs + 3) h + 1. */
function hiddenFor(count: number): number[] {
  const width = Math.floor((-(FEATURE_COUNT + 3) + Math.sqrt((FEATURE_COUNT + 3) ** 2 + 4 * count)) / 2)
  return [width, width]
}

function configOf(protection: Protection, encryption: EncryptionConfig | null): TrainingConfig {
  return parseTrainingConfig({
    model: { kind: 'mlp', inputs: FEATURE_COUNT, hidden: hiddenFor(parameters) },
    local: { epochs: 1, batchSize: 64, rowsMax: 64 },
    round: { participantsMin: organisations, deadlineMs: HOURS, sealTimeoutMs: HOURS },
    privacy: null,
    protection,
    ...(values.sparsify === undefined ? {} : { sparsify: sparsifyNamed(values.sparsify) }),
    encryption,
    rounds,
    seed: 'modes',
  })
}

async function found(directory: string, mode: Protection): Promise<Federation> {
  const federation = await foundFederation(join(directory, 'federation'), () => undefined).ready
  const traffic = { directory: join(directory, 'traffic'), seed: 'modes', days: 3, interactionsPerSite: 600 }
  const { sites, trainUntil } = await writeTraffic({ ...traffic, sites: organisations })
  for (const site of sites) await addMember(federation, site, trainUntil)
  for (const member of federation.members) {
    await setConfigValue(member.directory, ['protections'], [mode])
    await setConfigValue(member.directory, ['requirePrivacy'], false)
  }
  if (isEncrypted(mode)) await dealKeys(federation, mode)
  await ingestAll(federation, () => undefined)
  await Promise.all(federation.members.map(({ id }) => federation.start(id)))
  return federation
}

/** Megabytes that each process took at most: the hub, and the organisation that took most. */
async function peakMegabytes({ processes, members }: Federation): Promise<{ hub: number; organisation: number }> {
  const of = async (name: string): Promise<number> => {
    const text = await readFile(`/proc/${processes.get(name)?.pid}/status`, 'utf8')
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(text)?.[1]) / 1000
  }
  return { hub: await of('hub'), organisation: Math.max(...(await Promise.all(members.map(({ id }) => of(id))))) }
}

/** Milliseconds of processor time so far: of the hub, and of the organisations on average. */
async function processorMs({ processes, members }: Federation): Promise<{ hub: number; organisation: number }> {
  const of = async (name: string): Promise<number> => {
    const text = await readFile(`/proc/${processes.get(name)?.pid}/stat`, 'utf8')
    const [user = 0, system = 0] = text
      .slice(text.lastIndexOf(')') + 2)
      .split(' ')
      .slice(11, 13)
      .map(Number)
    return (user + system) * TICK_MS
  }
  const all = await Promise.all(members.map(({ id }) => of(id)))
  return { hub: await of('hub'), organisation: all.reduce((sum, each) => sum + each, 0) / all.length }
}

async function measure(federation: Federation, mode: Protection): Promise<Row[]> {
  const { operator, hubDirectory } = federation
  const before = await processorMs(federation)
  const key = isEncrypted(mode) ? await dealtKey(federation) : null
  await operator.startTraining({ config: configOf(mode, key), trainingId: mode })
  for (;;) {
    const { phase, reason } = await operator.training(mode)
    if (phase === 'done') break
    if (phase === 'failed' || phase === 'stopped') throw new Error(`${mode}: ${reason}`)
    await sleep(50)
  }
  const after = await processorMs(federation)
  const peak = await peakMegabytes(federation)
  const walls: number[] = []
  for (let round = 1; round <= rounds; round++) {
    const { opened_at: opened, ended_at: ended } = await operator.round(`${mode}-${round}`)
    walls.push((ended ?? opened) - opened)
  }
  const last = (await operator.exportLedger()).leaves.at(-1) ?? '{}'
  const [line] = decodeLeaf(last).provenance.participants
  const digest = line?.contribution ?? ''
  const { size } = await stat(join(hubDirectory, 'blobs', digest.slice(0, 2), digest))
  const perRound = (ms: number): string => `${(ms / rounds).toFixed(0)} ms`
  return [
    duration(`${mode}: a round`, summarise(walls), `${(size / 1e6).toFixed(1)} MB of each organisation`),
    { name: `${mode}: processor time of the hub`, result: perRound(after.hub - before.hub), note: 'a round' },
    {
      name: `${mode}: processor time of an organisation`,
      result: perRound(after.organisation - before.organisation),
      note: 'a round, with its training',
    },
    {
      name: `${mode}: memory at most`,
      result: `hub ${peak.hub.toFixed(0)} MB, organisation ${peak.organisation.toFixed(0)} MB`,
      note: 'since their start',
    },
  ]
}

async function inFederation(mode: Protection): Promise<Row[]> {
  const directory = await mkdtemp(join(tmpdir(), 'entente-modes-'))
  const federation = await found(directory, mode)
  try {
    return await measure(federation, mode)
  } finally {
    await federation.stop()
    await rm(directory, { recursive: true, force: true })
  }
}

const setting = `${organisations} organisations as processes, ${parameters} parameters, ${rounds} rounds`
for (const mode of values.modes.split(',')) {
  const rows = await inFederation(protectionSchema.parse(mode))
  console.log(printed({ title: `A round under ${mode}`, setting, rows }))
}
