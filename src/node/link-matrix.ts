/**
 * Rows for learning without labels: each chosen link once as it was, and once made up. Half of those made up are of pairs
 * that were in contact before (historical negatives), half have another host as destination (Poursafaei et al. 2022,
 * section 4.1). The features of the interaction are zero: they would give a made-up one away.
 */

import { type Prng, prng } from '../base/prng.ts'
import type { TgnnSpec } from '../models/model.ts'
import type { HostKey } from '../telemetry/graph/host-key.ts'
import type { OpenDataset } from './dataset-files.ts'
import { checkGraphSpec, type GraphRow, Handed, modelWidth, walkGraph } from './model-rows.ts'
import { filledRowFile } from './row-file.ts'
import type { LabelledData, TrainingMatrix } from './training-matrix.ts'
import { fail } from '../base/errors.ts'

/** Tries for a pair that is not the one at hand. */
const TRIES = 8

export interface LinkPart {
  readonly dataset: OpenDataset
  readonly data: LabelledData
}

/**
 * Half of `rowsMax` links of each data set before its cut, whatever their labels. Whoever asks closes the file of the
 * matrix, which is in `directory`.
 * @throws no-data, wrong-shape, storage-full
 */
export async function gatherLinkMatrix(
  parts: readonly LinkPart[],
  spec: TgnnSpec,
  rowsMax: number,
  directory: string,
): Promise<TrainingMatrix> {
  const width = modelWidth(spec)
  const chosen = parts.map(({ dataset, data }) => chooseLinks(dataset, data, Math.max(1, Math.floor(rowsMax / 2))))
  const links = chosen.reduce((sum, rows) => sum + rows.length, 0)
  if (links === 0) fail('no-data', 'there is no interaction before the cut')
  const labels = Uint8Array.from({ length: 2 * links }, (_, i) => i % 2)
  const features = await filledRowFile(directory, async (file) => {
    const out = new Handed(width, (block, _from, count) => file.append(block.subarray(0, count * width)))
    for (const [i, { dataset }] of parts.entries()) {
      checkGraphSpec(dataset, spec)
      const random = prng(`made-up links/${i}`)
      await walkGraph(dataset, spec, chosen[i] ?? new Uint32Array(0), (row) => {
        const put = (pair: readonly [HostKey, HostKey]): void =>
          row.context.context(...pair, row.time, out.values, out.next() + spec.features)
        put([row.source, row.destination])
        put(madeUp(dataset, row, random))
      })
    }
    out.flush()
  })
  return { rows: 2 * links, width, features, labels, positives: links, families: [] }
}

/** Evenly spread by a seed. */
function chooseLinks({ rows }: OpenDataset, { trainUntil }: LabelledData, wanted: number): Uint32Array {
  const until = trainUntil ?? Number.POSITIVE_INFINITY
  let left = 0
  for (let row = 0; row < rows.length; row++) if (rows.time(row) < until) left++
  const chosen = new Uint32Array(Math.min(left, wanted))
  const random = prng('links')
  for (let row = 0, at = 0; at < chosen.length; row++) {
    if (!(rows.time(row) < until)) continue
    if (random.uniform() * left-- < chosen.length - at) chosen[at++] = row
  }
  return chosen
}

function madeUp({ rows }: OpenDataset, row: GraphRow, random: Prng): [HostKey, HostKey] {
  const { source, destination, hosts } = row
  const historical = row.row > 0 && random.uniform() < 0.5
  for (let i = 0; i < TRIES; i++) {
    const earlier = historical ? random.below(row.row) : -1
    const pair: [HostKey, HostKey] = historical
      ? [hosts[rows.sourceId(earlier)] as HostKey, hosts[rows.destinationId(earlier)] as HostKey]
      : [source, hosts[random.below(row.hostsSeen)] as HostKey]
    if (pair[0].id !== source.id || pair[1].id !== destination.id) return pair
  }
  // A stream of one pair: the other direction is the only other link that it knows of.
  return [destination, source]
}
