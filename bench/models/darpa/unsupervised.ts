/** The whole stream as one, where nobody has labels: scorers without training, on rows and on unique triples. */

import { SOURCE_EXTERNAL } from '../../../src/models/baselines/one-bit.ts'
import { type LaterSlice, measure } from '../../../src/models/later-slice.ts'
import type { Sheet } from '../results.ts'
import { STREAM_SCORERS } from './organisation.ts'
import { inOrder, kindsByTechnique, organisationsOfHosts, shuffledOrder, type Stream } from './stream.ts'

export const WHOLE_STREAM = 'DARPA, nobody has labels: the whole stream'

export function unsupervised(sorted: Stream, seed: string, sheet: Sheet, onProgress: (message: string) => void): void {
  const stream = inOrder(sorted, shuffledOrder(sorted, seed))
  const slice = wholeSlice(stream)
  const site = organisationsOfHosts(stream)
  for (const { name, create } of STREAM_SCORERS) {
    onProgress(`whole stream: ${name}`)
    const scorer = create()
    const scores = new Float32Array(stream.rows)
    for (let row = 0; row < stream.rows; row++) {
      const source = stream.source[row] ?? 0
      const flags = (site[source] ?? -1) < 0 ? SOURCE_EXTERNAL : 0
      scores[row] = scorer.score(stream.tick[row] ?? 0, source, stream.destination[row] ?? 0, flags)
    }
    const { auc, stealthyAuc, stealthyAp, unique } = measure(slice, scores)
    sheet.record(WHOLE_STREAM, name, {
      AUC: stealthyAuc,
      AP: stealthyAp,
      'triples AUC': unique.stealthyAuc,
      'triples AP': unique.stealthyAp,
      'all attacks AUC': auc,
    })
  }
}

function wholeSlice(stream: Stream): LaterSlice {
  const kindOf = kindsByTechnique(stream)
  const kinds = Uint8Array.from(stream.technique, (technique) => kindOf[technique] ?? 0)
  const triples = new Uint32Array(stream.rows)
  const ofTick = new Map<number, number>()
  let tripleCount = 0
  for (let row = 0; row < stream.rows; row++) {
    if (row > 0 && stream.tick[row] !== stream.tick[row - 1]) ofTick.clear()
    const pair = (stream.source[row] ?? 0) * 2 ** 26 + (stream.destination[row] ?? 0)
    let triple = ofTick.get(pair)
    if (triple === undefined) {
      triple = tripleCount++
      ofTick.set(pair, triple)
    }
    triples[row] = triple
  }
  return { kinds, triples, tripleCount }
}
