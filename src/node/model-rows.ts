/**
 * Rows of a data set as wide as a model needs them: the features as they are stored, and for a temporal graph network the
 * recent links of both ends, which are made in one pass over everything before.
 */

import { fail } from '../base/errors.ts'
import { release } from '../base/release.ts'
import type { TgnnSpec, ThreatModelSpec } from '../models/model.ts'
import { type HostKey, hostKey } from '../telemetry/graph/host-key.ts'
import { LINK_WIDTH, PAIR_WIDTH } from '../telemetry/graph/layout.ts'
import { createLinkContext, type LinkContext } from '../telemetry/graph/link-context.ts'
import type { OpenDataset } from './dataset-files.ts'

/** Rows of features that are read at a time. */
const READ_ROWS = 8192
/** Rows that are handed on at a time. */
const HANDED_ROWS = 1024

/** `count` rows of the width asked for; `from` is how many were handed on before. The array is used again. */
export type TakeRows = (rows: Float32Array, from: number, count: number) => void

/** Columns of a row of a model. */
export function modelWidth(spec: ThreatModelSpec): number {
  if (spec.kind === 'mlp') return spec.inputs
  return spec.features + spec.pairFeatures + 2 * spec.links * spec.linkFeatures
}

/**
 * Hands on the rows selected (ascending row numbers), in order.
 * @throws wrong-shape if the model was made for other columns than this data set, or this version, has
 */
export async function readModelRows(
  dataset: OpenDataset,
  spec: ThreatModelSpec,
  selected: Uint32Array,
  take: TakeRows,
): Promise<void> {
  const out = new Handed(modelWidth(spec), take)
  if (spec.kind === 'mlp') {
    checkColumns(dataset, spec.inputs)
    await readFeatureRows(dataset, selected, (_row, features, from) => {
      out.values.set(features.subarray(from, from + spec.inputs), out.next())
    })
  } else {
    checkGraphSpec(dataset, spec)
    await walkGraph(dataset, spec, selected, ({ features, from, context, source, destination, time }) => {
      const at = out.next()
      out.values.set(features.subarray(from, from + spec.features), at)
      context.context(source, destination, time, out.values, at + spec.features)
    })
  }
  out.flush()
}

function checkColumns({ width }: OpenDataset, inputs: number): void {
  if (width !== inputs) fail('wrong-shape', `the model takes ${inputs} features, the data set has ${width}`)
}

export function checkGraphSpec(dataset: OpenDataset, spec: TgnnSpec): void {
  checkColumns(dataset, spec.features)
  if (spec.pairFeatures !== PAIR_WIDTH || spec.linkFeatures !== LINK_WIDTH)
    fail(
      'wrong-shape',
      `the model takes ${spec.pairFeatures} and ${spec.linkFeatures} columns of pairs and links, this version has ${PAIR_WIDTH} and ${LINK_WIDTH}`,
    )
}

/** A block of rows under way. */
export class Handed {
  readonly values: Float32Array
  private readonly width: number
  private readonly take: TakeRows
  private count = 0
  private before = 0

  constructor(width: number, take: TakeRows) {
    this.width = width
    this.take = take
    this.values = new Float32Array(HANDED_ROWS * width)
  }

  /** Where the next row goes. */
  next(): number {
    if (this.count === HANDED_ROWS) this.flush()
    return this.count++ * this.width
  }

  flush(): void {
    if (this.count === 0) return
    this.take(this.values, this.before, this.count)
    this.before += this.count
    this.count = 0
  }
}

/** Calls back for each selected row, with its features at features[from]; blocks without any are not read. */
async function readFeatureRows(
  dataset: OpenDataset,
  selected: Uint32Array,
  visit: (row: number, features: Float32Array, from: number) => void,
): Promise<void> {
  const { width } = dataset
  const block = new Float32Array(READ_ROWS * width)
  for (let at = 0; at < selected.length; ) {
    const first = selected[at] ?? 0
    const count = Math.min(READ_ROWS, dataset.rows.length - first)
    await dataset.readFeatures(first, count, block)
    for (; at < selected.length && (selected[at] ?? 0) < first + count; at++)
      visit(selected[at] ?? 0, block, ((selected[at] ?? 0) - first) * width)
  }
  release(block)
}

/** A row of the stream, before the context has learnt it. */
export interface GraphRow {
  readonly row: number
  readonly features: Float32Array
  /** Where the features of the row begin. */
  readonly from: number
  readonly context: LinkContext
  readonly source: HostKey
  readonly destination: HostKey
  readonly time: number
  /** By id; the first `hostsSeen` appeared in this row or before. */
  readonly hosts: readonly HostKey[]
  readonly hostsSeen: number
}

/** Walks the whole stream up to the last selected row, and calls back at each selected one. */
export async function walkGraph(
  dataset: OpenDataset,
  { links }: TgnnSpec,
  selected: Uint32Array,
  visit: (row: GraphRow) => void,
): Promise<void> {
  const { rows, width } = dataset
  const hosts = (await dataset.readHosts()).map(hostKey)
  const context = createLinkContext(links)
  const features = new Float32Array(READ_ROWS * width)
  const end = selected.length === 0 ? 0 : (selected.at(-1) ?? 0) + 1
  let at = 0
  let hostsSeen = 0
  try {
    for (let first = 0; first < end; first += READ_ROWS) {
      const count = Math.min(READ_ROWS, end - first)
      await dataset.readFeatures(first, count, features)
      for (let row = first; row < first + count; row++) {
        const [sourceId, destinationId] = [rows.sourceId(row), rows.destinationId(row)]
        const source = hosts[sourceId] as HostKey
        const destination = hosts[destinationId] as HostKey
        hostsSeen = Math.max(hostsSeen, sourceId + 1, destinationId + 1)
        const time = rows.time(row)
        const from = (row - first) * width
        if (selected[at] === row) {
          visit({ row, features, from, context, source, destination, time, hosts, hostsSeen })
          at++
        }
        context.push(source, destination, time, features, from)
      }
    }
  } finally {
    release(features)
    context.release()
  }
}
