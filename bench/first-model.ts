/**
 * Figures of the first model, without processes or network: `node bench/first-model.ts [--data CAPTURE] [--orgs 5]
 * [--rounds 5] [--labels own|all] [--model mlp|tgnn] [--links 8] [--width 32] [--time 16] [--hidden 64,64] [--epochs 1] [--batch 1024] [--rate 0.003] [--mu 0] [--rows 50000]
 * [--visit ROWS] [--momentum 0] [--objective supervised|link] [--seed 42] [--sets DIR]`. Splits the capture, or generates traffic,
 * ingests it, runs FedAvgM in this process, evaluates, prints a table.
 * `--sets DIR` keeps the data sets, so that the next run with another setting starts from them.
 */

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { assignFamilies } from '../apps/cli/demo/families.ts'
import { trainingSlice } from '../apps/cli/demo/training-slice.ts'
import { createModel, type ModelSpec } from '../src/models/model.ts'
import { openDataset } from '../src/node/dataset-files.ts'
import { DEFAULT_MLP, DEFAULT_TGNN } from '../src/node/default-model.ts'
import { evaluate, type Metrics } from '../src/node/evaluate.ts'
import { ingest } from '../src/node/ingest.ts'
import { loadKernels } from '../src/node/kernels.ts'
import { splitCapture } from '../src/node/split.ts'
import { createTrainer } from '../src/node/trainer.ts'
import { writeTraffic } from '../src/node/write-traffic.ts'

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    orgs: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '5' },
    labels: { type: 'string', default: 'own' },
    model: { type: 'string', default: 'mlp' },
    hidden: { type: 'string', default: '64,64' },
    links: { type: 'string', default: '8' },
    width: { type: 'string', default: '32' },
    time: { type: 'string', default: '16' },
    epochs: { type: 'string', default: '1' },
    batch: { type: 'string', default: '1024' },
    rate: { type: 'string', default: '0.003' },
    mu: { type: 'string', default: '0' },
    rows: { type: 'string', default: '50000' },
    visit: { type: 'string' },
    momentum: { type: 'string', default: '0' },
    objective: { type: 'string', default: 'supervised' },
    seed: { type: 'string', default: '42' },
    sets: { type: 'string' },
  },
})

interface Plan {
  readonly trainUntil: number
  readonly width: number
  readonly sites: readonly {
    readonly id: string
    readonly directory: string
    readonly counts: Record<string, number>
  }[]
}

async function prepare(directory: string): Promise<Plan> {
  const made = join(directory, 'plan.json')
  if (existsSync(made)) return JSON.parse(readFileSync(made, 'utf8')) as Plan
  const logs = join(directory, 'logs')
  const common = { directory: logs, sites: Number(values.orgs), seed: values.seed }
  const split =
    values.data === undefined
      ? await writeTraffic(common)
      : await splitCapture({ ...common, path: values.data, format: 'auto' })
  const sites: Plan['sites'][number][] = []
  let width = 0
  for (const { name, path, localNetworks } of split.sites) {
    const target = join(directory, name)
    const quarantineDirectory = join(directory, `${name}-quarantine`)
    await ingest({ paths: [path], format: split.format, localNetworks, directory: target, quarantineDirectory })
    const dataset = await openDataset(target)
    width = dataset.width
    await dataset.close()
    sites.push({ id: name, directory: target, counts: (await trainingSlice(target, split.trainUntil)).families })
  }
  const plan: Plan = { trainUntil: split.trainUntil, width, sites }
  writeFileSync(made, JSON.stringify(plan))
  return plan
}

const directory = values.sets ?? mkdtempSync(join(tmpdir(), 'entente-first-model-'))
const started = performance.now()
const seconds = (): string => `${((performance.now() - started) / 1000).toFixed(1)} s`
const plan = await prepare(directory)
console.log(`data sets ready after ${seconds()}`)

const assigned = assignFamilies(Object.fromEntries(plan.sites.map(({ id, counts }) => [id, counts])))
const organisations = plan.sites.map(({ id, directory: of }) => ({
  id,
  directory: of,
  families: values.labels === 'all' ? ('all' as const) : (assigned[id] ?? []),
}))
const hidden = values.hidden.split(',').filter(Boolean).map(Number)
const spec: ModelSpec =
  values.model === 'mlp'
    ? { ...DEFAULT_MLP, inputs: plan.width, hidden }
    : {
        ...DEFAULT_TGNN,
        features: plan.width,
        links: Number(values.links),
        width: Number(values.width),
        timeDimensions: Number(values.time),
        hidden,
      }
const local = {
  epochs: Number(values.epochs),
  batchSize: Number(values.batch),
  learningRate: Number(values.rate),
  optimiser: 'adam' as const,
  proximalMu: Number(values.mu),
  rowsMax: Number(values.rows),
  rowsPerEpoch: values.visit === undefined ? null : Number(values.visit),
  objective: values.objective === 'link' ? ('link' as const) : ('supervised' as const),
}

/** FedAvgM: the mean of the trained models, weighted by rows, on a server that keeps `--momentum` of its last step. */
async function federate(): Promise<Float32Array> {
  let parameters = createModel(spec, loadKernels()).initialise(values.seed)
  const velocity = new Float64Array(parameters.length)
  const trainers = organisations.map((data) => createTrainer({ ...data, trainUntil: plan.trainUntil }))
  for (let round = 1; round <= Number(values.rounds); round++) {
    const mean = new Float64Array(parameters.length)
    let samples = 0
    for (const [i, trainer] of trainers.entries()) {
      const trained = await trainer.train({
        spec,
        parameters,
        ...local,
        seed: `${values.seed}/${round}/${organisations[i]?.id}`,
      })
      const { sampleCount, positives, loss } = trained.summary
      if (round === 1)
        console.log(`${organisations[i]?.id}: ${sampleCount} rows, ${positives} positives, loss ${loss.toFixed(4)}`)
      trained.parameters.forEach((value, at) => (mean[at] = (mean[at] ?? 0) + value * sampleCount))
      samples += sampleCount
    }
    parameters = parameters.map((value, at) => {
      velocity[at] = Number(values.momentum) * (velocity[at] ?? 0) + ((mean[at] ?? 0) / samples - value)
      return value + (velocity[at] ?? 0)
    })
  }
  await Promise.all(trainers.map((trainer) => trainer.close()))
  return parameters
}

const federated = await federate()
console.log(`federated model after ${seconds()}`)
const evaluation = await evaluate({
  organisations,
  trainUntil: plan.trainUntil,
  spec,
  federated,
  rounds: Number(values.rounds),
  local,
  seed: values.seed,
})
const figure = (value: number | null): string => (value === null ? '-' : value.toFixed(3)).padStart(6)
const print = (name: string, metrics: Metrics | null): void => {
  const five = (of: Metrics['unique'] | undefined): string =>
    of === undefined ? '' : [of.auc, of.ap, of.stealthyAuc, of.stealthyAp, of.othersRecall].map(figure).join(' ')
  console.log(`${name.padEnd(14)} ${five(metrics ?? undefined)}   unique ${five(metrics?.unique)}`)
}
const { metrics } = evaluation
console.log(`${''.padEnd(14)}    auc     ap  s.auc   s.ap others`)
for (const [id, own] of Object.entries(metrics.local)) print(`${id} alone`, own)
for (const [id, own] of Object.entries(metrics.federated.byOrganisation)) print(`${id} federated`, own)
print('silos pooled', metrics.localPooled)
print('federated', metrics.federated)
print('centralised', metrics.centralised)
print('counter', metrics.counter)
print('one bit', metrics.oneBit)
const peak = Math.round(process.resourceUsage().maxRSS / 1024)
console.log(`evaluated after ${seconds()}, ${peak} MiB at most in this process`)
if (values.sets === undefined) rmSync(directory, { recursive: true })
