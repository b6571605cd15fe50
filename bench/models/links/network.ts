/** The temporal graph network as a link predictor: rows of a real link and of made-up ones, in one pass without look-ahead. */

import type { Model, TgnnSpec } from '../../../src/models/model.ts'
import { createFeatureStream, FEATURE_COUNT } from '../../../src/telemetry/features.ts'
import { type HostKey, hostKey } from '../../../src/telemetry/graph/host-key.ts'
import { contextWidth } from '../../../src/telemetry/graph/layout.ts'
import { createLinkContext } from '../../../src/telemetry/graph/link-context.ts'
import { type LinkEvent, type Question, walk } from './events.ts'

/**
 * Rows of every candidate of every question, as they looked just before its event; questions in time order. Features of
 * a row are zero: the link head does not read them, and a link that never was has none.
 */
export function candidateRows(
  events: readonly LinkEvent[],
  questions: readonly Question[],
  { links }: TgnnSpec,
): Float32Array {
  const width = FEATURE_COUNT + contextWidth(links)
  const count = questions.reduce((sum, { negatives }) => sum + 1 + negatives.length, 0)
  const rows = new Float32Array(count * width)
  const stream = createFeatureStream({ localNetworks: [] })
  const context = createLinkContext(links)
  const keys = new Map<number, HostKey>()
  const key = (host: number): HostKey => {
    const known = keys.get(host) ?? hostKey(`node-${host}`)
    keys.set(host, known)
    return known
  }
  const features = new Float32Array(FEATURE_COUNT)
  let row = 0
  walk(
    events,
    questions,
    ({ time, source, destination }) =>
      context.context(key(source), key(destination), time, rows, row++ * width + FEATURE_COUNT),
    ({ time, source, destination }) => {
      stream.push({ time, kind: 'flow', source: `node-${source}`, destination: `node-${destination}` }, features, 0)
      context.push(key(source), key(destination), time, features, 0)
    },
  )
  return rows
}

export interface LinkTraining {
  readonly epochs: number
  readonly batchSize: number
  readonly learningRate: number
  readonly seed: string
}

/** Parameters of the network after training on questions of one negative each; label 1 = made up. */
export function trainLinks(model: Model, rows: Float32Array, { seed, ...training }: LinkTraining): Float32Array {
  const width = model.inputs
  const labels = Uint8Array.from({ length: rows.length / width }, (_, row) => row % 2)
  return model.train(
    model.initialise(seed),
    { rows: labels.length, width, features: rows, labels },
    { ...training, optimiser: 'adam', proximalMu: 0, objective: 'link', seed },
  ).parameters
}
