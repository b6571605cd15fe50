/** One federation in this process: the product's trainer, stages of an update, strategies and plan of the noise, without network and masks. */

import { createHash } from 'node:crypto'
import { type TrainingConfig } from '../../src/learning/config.ts'
import { declaredShare, nextClip, withClip } from '../../src/learning/adaptive-clip.ts'
import { prepareContribution } from '../../src/learning/contribution.ts'
import { mechanismOf } from '../../src/learning/example-privacy.ts'
import { CENTRAL_MECHANISM, lawOf } from '../../src/learning/mechanisms.ts'
import { clipOf, noiseOf, type UpdateNoise } from '../../src/learning/organisation-privacy.ts'
import { examplePlanOf } from '../../src/learning/privacy-config.ts'
import { updateOf } from '../../src/learning/update-file.ts'
import { type LaterSlice, measure, type Metrics, poolSlices } from '../../src/models/later-slice.ts'
import { createModel, type Model } from '../../src/models/model.ts'
import { openDataset } from '../../src/node/dataset-files.ts'
import { loadKernels } from '../../src/node/kernels.ts'
import { noiseTable, privateOptions } from '../../src/node/private-randomness.ts'
import { scoreLaterSlice } from '../../src/node/score-later-slice.ts'
import { gatherMatrix, selectRows } from '../../src/node/training-matrix.ts'
import { seededBytes } from '../../src/privacy/masking/keystream.ts'
import { createServer } from '../models/federation.ts'
import type { Site } from './sites.ts'

const kernels = loadKernels()

export interface Federated {
  readonly model: Model
  readonly parameters: Float32Array
  /** Rows that were trained on, and attacks among them, by organisation. */
  readonly rows: readonly (readonly [number, number])[]
  /** Deviation of the noise over the clip; null without. */
  readonly noiseMultiplier: number | null
  /** Of each round; null where nothing is clipped. */
  readonly clips: readonly (number | null)[]
  /** Gradients of rows taken, and processor seconds of it all. */
  readonly examples: number
  readonly seconds: number
}

/** The secrets follow from `noiseSeed`, so that a figure can be had again; the product draws them. */
export async function federate(config: TrainingConfig, sites: readonly Site[], noiseSeed: string): Promise<Federated> {
  if (config.model.kind === 'policy') throw new Error('a policy has no rows')
  const model = createModel(config.model, kernels)
  const plan = examplePlanOf(config)
  const matrices = await Promise.all(sites.map((site) => matrixOf(site, config, plan?.rowsPerHost)))
  const noise = noiseOf(config)
  const server = createServer(model.layout, model.initialise(config.seed), config.strategy, kernels)
  const before = process.cpuUsage()
  let examples = 0
  /** What each left behind, where updates are sparse. */
  const left = new Map<string, Float32Array | null>()
  const clips: (number | null)[] = []
  let asked = withClip(config)
  for (let round = 1; round <= config.rounds; round++) {
    const counts: (number | undefined)[] = []
    const trained = sites.map(({ id }, i) => {
      const matrix = matrices[i] as (typeof matrices)[number]
      const secret = createHash('sha256').update(`${noiseSeed}/${round}/${id}`).digest()
      const privately = privateOptions(plan === null ? undefined : { ...plan, secret: new Uint8Array(secret) })
      const options = { ...config.local, seed: `${config.seed}/${round}/${id}`, ...privately }
      examples +=
        plan === null
          ? Math.min(matrix.rows, config.local.rowsPerEpoch ?? matrix.rows) * config.local.epochs
          : (plan.steps * matrix.rows * plan.samplingThreshold) / 2 ** 32
      const whole = model.train(server.parameters, matrix, options).parameters
      const made = prepareContribution(updateOf(whole, server.parameters), {
        config: asked,
        parameterCount: model.parameterCount,
        layout: model.layout,
        round,
        residual: left.get(id) ?? null,
        kernels,
        mechanism: plan === null ? undefined : mechanismOf(plan),
        ...(noise === null ? {} : { drawNoise: drawFor(noise, `${noiseSeed}/${round}/${id}`) }),
      })
      // What the hub adds to the sum is what one organisation could add to its update.
      if (noise?.mechanism === CENTRAL_MECHANISM && i === 0)
        addScaled(made.update, drawFor(noise, `${noiseSeed}/${round}/hub`), noise)
      left.set(id, made.residual)
      counts.push(made.count)
      const parameters = made.update.map((value, at) => value + (server.parameters[at] ?? 0))
      // Under privacy every organisation weighs the same.
      return { organisation: id, sampleCount: config.privacy === null ? matrix.rows : 1, parameters }
    })
    await server.round(trained)
    const clip = clipOf(asked)
    clips.push(clip)
    const share = clip === null ? undefined : declaredShare(counts, clip, null)
    if (config.clipAdaptive !== undefined && clip !== null && share !== undefined)
      asked = withClip(config, nextClip(clip, share, config.clipAdaptive))
  }
  const used = process.cpuUsage(before)
  for (const { features } of matrices) features.close()
  return {
    model,
    parameters: server.parameters,
    rows: matrices.map(({ rows, positives }) => [rows, positives] as const),
    noiseMultiplier: plan === null ? null : plan.deviation / plan.clipSteps,
    clips,
    examples,
    seconds: (used.user + used.system) / 1e6,
  }
}

function drawFor({ mechanism, deviation }: UpdateNoise, seed: string): (_: number, out: Int32Array) => void {
  const random = seededBytes(createHash('sha256').update(seed).digest(), 'noise')
  return (_, out) => noiseTable(deviation, lawOf(mechanism)).draw(out, random)
}

function addScaled(values: Float32Array, draw: ReturnType<typeof drawFor>, { deviation, exponent }: UpdateNoise): void {
  const drawn = new Int32Array(values.length)
  draw(deviation, drawn)
  for (const [i, steps] of drawn.entries()) values[i] = (values[i] ?? 0) + steps * 2 ** exponent
}

async function matrixOf({ data }: Site, config: TrainingConfig, rowsPerHost: number | undefined) {
  const dataset = await openDataset(data.directory)
  try {
    const selected = selectRows(dataset, data, config.local.rowsMax, rowsPerHost)
    if (config.model.kind === 'policy') throw new Error('a policy has no rows')
    return await gatherMatrix([{ dataset, selected }], config.model, data.directory)
  } finally {
    await dataset.close()
  }
}

/** Figures of all organisations' later traffic together, of the model and of the counter. */
export async function score(
  { model, parameters }: Federated,
  sites: readonly Site[],
): Promise<{ readonly model: Metrics; readonly counter: Metrics }> {
  const slices: (LaterSlice & { readonly scores: Readonly<Record<string, Float32Array>> })[] = []
  for (const { data, othersFamilies } of sites) {
    const dataset = await openDataset(data.directory)
    const common = { type: 'score', directory: data.directory, trainUntil: data.trainUntil ?? 0 } as const
    const task = { ...common, othersFamilies, spec: model.spec, objective: 'supervised', models: { model: parameters } }
    slices.push(await scoreLaterSlice(dataset, model, task as never, () => undefined))
    await dataset.close()
  }
  const pooled = poolSlices(slices)
  const figures = (name: string): Metrics => measure(pooled, joined(slices.map(({ scores }) => scores[name])))
  return { model: figures('model'), counter: figures('counter') }
}

function joined(parts: readonly (Float32Array | undefined)[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, part) => sum + (part?.length ?? 0), 0))
  let at = 0
  for (const part of parts) {
    all.set(part ?? [], at)
    at += part?.length ?? 0
  }
  return all
}
