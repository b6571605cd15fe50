/** Reads a data set directory: rows whole, since they are small, and features in blocks, since they are not. */

import { type FileHandle, open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { EntenteError, fail } from '../base/errors.ts'
import { DATASET_FILES, type DatasetInfo, decodeInfo, RowTable } from '../telemetry/dataset.ts'

export interface OpenDataset {
  readonly info: DatasetInfo
  readonly rows: RowTable
  readonly width: number
  /** Features of `count` rows from row `from` on, row-major. @throws input-invalid if the file ends before */
  readFeatures(from: number, count: number, into: Float32Array): Promise<void>
  /** Names of the hosts; a host's id is its index. @throws input-invalid unless there is one for each id */
  readHosts(): Promise<readonly string[]>
  close(): Promise<void>
}

/** @throws not-found when there is no data set; input-invalid when its files do not fit together */
export async function openDataset(directory: string): Promise<OpenDataset> {
  const info = decodeInfo(new TextDecoder().decode(await readPart(directory, DATASET_FILES.info)))
  const rows = new RowTable(await readPart(directory, DATASET_FILES.rows))
  const width = info.featureNames.length
  if (rows.length !== info.rows)
    fail('input-invalid', `dataset.json tells of ${info.rows} rows, rows.bin has ${rows.length}`)
  const file = await open(join(directory, DATASET_FILES.features), 'r')
  return {
    info,
    rows,
    width,
    readFeatures: (from, count, into) => readRows(file, width, from, count, into),
    readHosts: () => readHosts(directory, info),
    close: () => file.close(),
  }
}

async function readPart(directory: string, name: string): Promise<Uint8Array> {
  try {
    return await readFile(join(directory, name))
  } catch (cause) {
    throw new EntenteError('not-found', `there is no data set: ${name} cannot be read`, { cause })
  }
}

async function readHosts(directory: string, { hosts }: DatasetInfo): Promise<string[]> {
  const names = new TextDecoder()
    .decode(await readPart(directory, DATASET_FILES.hosts))
    .split('\n')
    .slice(0, -1)
  if (names.length !== hosts)
    fail('input-invalid', `dataset.json tells of ${hosts} hosts, hosts.txt has ${names.length}`)
  return names
}

async function readRows(
  file: FileHandle,
  width: number,
  from: number,
  count: number,
  into: Float32Array,
): Promise<void> {
  const bytes = new Uint8Array(into.buffer, into.byteOffset, count * width * 4)
  for (let at = 0; at < bytes.length; ) {
    const { bytesRead } = await file.read(bytes, at, bytes.length - at, from * width * 4 + at)
    if (bytesRead === 0) fail('input-invalid', 'features.f32 ends before the last row')
    at += bytesRead
  }
}
