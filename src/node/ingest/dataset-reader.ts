/** Reads a data set directory: the records whole (32 bytes a row), the features in chunks or picked rows. */

import { createReadStream } from 'node:fs'
import { type FileHandle, open, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fail } from '../../base/errors.ts'
import { DATASET_FILES, type DatasetInfo, decodeInfo, RowTable } from '../../telemetry/dataset.ts'

const CHUNK_ROWS = 16_384

export interface FeatureChunk {
  /** Number of the first row. */
  readonly first: number
  readonly rows: number
  /** Row-major; reused by the next chunk. */
  readonly features: Float32Array
}

export interface Dataset {
  readonly info: DatasetInfo
  readonly width: number
  readonly table: RowTable
  /** All rows in order, a bounded chunk at a time. */
  chunks(rowsPerChunk?: number): AsyncGenerator<FeatureChunk>
  /** Features of the given ascending rows, row-major. */
  gather(rows: Uint32Array): Promise<Float32Array>
  /** Addresses by id. */
  hosts(): Promise<readonly string[]>
}

async function readExactly(file: FileHandle, into: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < into.length; ) {
    const { bytesRead } = await file.read(into, done, into.length - done, position + done)
    if (bytesRead === 0) fail('input-invalid', `${DATASET_FILES.features} ends too early`)
    done += bytesRead
  }
}

/** @throws input-invalid if the directory is not a whole data set */
export async function openDataset(directory: string): Promise<Dataset> {
  const info = decodeInfo(await readText(join(directory, DATASET_FILES.info)))
  const table = new RowTable(await readFile(join(directory, DATASET_FILES.rows)))
  const width = info.featureNames.length
  const featuresPath = join(directory, DATASET_FILES.features)
  const { size } = await stat(featuresPath)
  if (table.length !== info.rows || size !== info.rows * width * 4)
    fail('input-invalid', `${directory} is not a whole data set`)

  async function* chunks(rowsPerChunk = CHUNK_ROWS): AsyncGenerator<FeatureChunk> {
    const file = await open(featuresPath, 'r')
    const block = new Float32Array(rowsPerChunk * width)
    try {
      for (let first = 0; first < info.rows; first += rowsPerChunk) {
        const rows = Math.min(rowsPerChunk, info.rows - first)
        const features = block.subarray(0, rows * width)
        await readExactly(file, new Uint8Array(block.buffer, 0, rows * width * 4), first * width * 4)
        yield { first, rows, features }
      }
    } finally {
      await file.close()
    }
  }

  async function gather(wanted: Uint32Array): Promise<Float32Array> {
    const picked = new Float32Array(wanted.length * width)
    let at = 0
    for await (const { first, rows, features } of chunks()) {
      while (at < wanted.length && (wanted[at] as number) < first + rows) {
        const from = ((wanted[at] as number) - first) * width
        picked.set(features.subarray(from, from + width), at * width)
        at++
      }
      if (at === wanted.length) break
    }
    if (at < wanted.length) fail('invalid-request', 'the rows to gather must be ascending rows of this data set')
    return picked
  }

  const hosts = async (): Promise<readonly string[]> =>
    (await readText(join(directory, DATASET_FILES.hosts))).split('\n').slice(0, -1)

  return { info, width, table, chunks, gather, hosts }
}

async function readText(path: string): Promise<string> {
  let text = ''
  try {
    for await (const chunk of createReadStream(path, { encoding: 'utf8' })) text += chunk as string
  } catch {
    fail('input-invalid', `${path} cannot be read`)
  }
  return text
}
