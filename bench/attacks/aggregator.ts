/** The product's aggregation over updates in memory. */

import type { RobustConfig } from '../../src/learning/robust/config.ts'
import { aggregate } from '../../src/learning/aggregate.ts'
import { strategyConfigSchema } from '../../src/learning/config.ts'
import type { RobustReport } from '../../src/learning/robust/report.ts'
import type { TensorReader } from '../../src/learning/tensor-reader.ts'
import { decodeSafetensors, encodeSafetensors, parseHeader } from '../../src/models/formats/safetensors.ts'
import type { Kernels } from '../../src/models/kernels/kernels.ts'
import { concatBytes } from '../../src/base/bytes.ts'

const STRATEGY = strategyConfigSchema.parse({ name: 'fedavg' })

export interface Aggregate {
  readonly parameters: Float32Array
  readonly report: RobustReport | undefined
}

export interface AggregateOptions {
  readonly kernels: Kernels
  readonly seed: string
  /** The parameters before `base`; null in the first round. */
  readonly previous: Float32Array | null
}

/** The new parameters. Updates in the order of organisations; each says the same sample count. */
export async function aggregateUpdates(
  base: Float32Array,
  updates: readonly Float32Array[],
  robust: RobustConfig,
  { kernels, seed, previous }: AggregateOptions,
): Promise<Aggregate> {
  const model: Uint8Array[] = []
  const { robust: report } = await aggregate({
    base: readerOf(base),
    previous: previous === null ? null : readerOf(previous),
    state: null,
    updates: updates.map((update, i) => ({
      organisation: `org-${String(i).padStart(2, '0')}`,
      sampleCount: 1,
      reader: readerOf(update),
    })),
    strategy: STRATEGY,
    robust,
    seed,
    sampleCountMax: 1,
    version: 'bench',
    kernels,
    writeModel: async (bytes) => void model.push(bytes.slice()),
    writeState: async () => undefined,
  })
  const { tensors } = decodeSafetensors(concatBytes(...model))
  return { parameters: tensors.get('w')?.values ?? base, report }
}

function readerOf(values: Float32Array): TensorReader {
  const file = encodeSafetensors(new Map([['w', { shape: [values.length], values }]]), { format: 'bench' })
  return {
    size: file.length,
    header: parseHeader(file, file.length),
    read: async (offset, into) => into.set(file.subarray(offset, offset + into.length)),
  }
}
