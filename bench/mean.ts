/** One aggregation as the hub does it: from blobs, by chunks, to the blob of the next model. */

import { aggregate } from '../src/learning/aggregate.ts'
import { strategyConfigSchema } from '../src/learning/config.ts'
import { openTensors } from '../src/learning/tensor-reader.ts'
import { CHUNK_ELEMENTS } from '../src/learning/weighted-sum.ts'
import type { Kernels } from '../src/models/kernels/kernels.ts'
import type { BlobReader, Blobs } from '../src/node/ports.ts'
import type { Files } from './updates.ts'

/** FedAvg with weights 1, 2, 3, ...; writes and commits the new model. */
export async function aggregateFiles(blobs: Blobs, files: Files, kernels: Kernels): Promise<void> {
  const model = await blobs.create()
  await aggregateInto((chunk) => model.write(chunk), blobs, files, kernels)
  await model.commit()
}

/** The same into memory that is forgotten: what the aggregation itself takes. */
export function aggregateOnly(blobs: Blobs, files: Files, kernels: Kernels): Promise<void> {
  return aggregateInto(async () => undefined, blobs, files, kernels)
}

async function aggregateInto(
  writeModel: (chunk: Uint8Array) => Promise<void>,
  blobs: Blobs,
  files: Files,
  kernels: Kernels,
): Promise<void> {
  const opened = await openAll(blobs, files)
  const [base, ...readers] = await Promise.all(opened.map(openTensors))
  await aggregate({
    base: base ?? never(),
    updates: readers.map((reader, i) => ({ organisation: String(i).padStart(6, '0'), reader, sampleCount: i + 1 })),
    previous: null,
    state: null,
    strategy: strategyConfigSchema.parse({ name: 'fedavg' }),
    sampleCountMax: 1_000_000,
    version: 'bench',
    kernels,
    writeModel,
    writeState: never,
  })
  await Promise.all(opened.map((reader) => reader.close()))
}

/** Reads every byte of the same files once, in pieces of the same size, into one buffer. */
export async function readFiles(blobs: Blobs, files: Files): Promise<void> {
  const buffer = new Uint8Array(4 * CHUNK_ELEMENTS)
  const opened = await openAll(blobs, files)
  for (const reader of opened)
    for (let offset = 0; offset < reader.size; offset += buffer.length)
      await reader.read(offset, buffer.subarray(0, Math.min(buffer.length, reader.size - offset)))
  await Promise.all(opened.map((reader) => reader.close()))
}

function openAll(blobs: Blobs, { base, updates }: Files): Promise<BlobReader[]> {
  return Promise.all([base, ...updates].map((digest) => blobs.open(digest)))
}

function never(): never {
  throw new Error('FedAvg needs nothing but the base model')
}
