/** The data set of an organisation's node: made from the logs that its configuration names, again only when they changed. */

import { mkdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { EntenteError } from '../base/errors.ts'
import { digestOf } from '../base/hash.ts'
import { type DatasetInfo, DATASET_FILES, decodeInfo } from '../telemetry/dataset.ts'
import { FEATURE_NAMES } from '../telemetry/features.ts'
import type { OrganisationConfig } from './config.ts'
import { ingest } from './ingest.ts'
import { filesOf } from './ingest/paths.ts'
import { replaceFile } from './replace-file.ts'

export const datasetDirectory = (directory: string): string => join(directory, 'data', 'set')
const fingerprintFile = (directory: string): string => join(directory, 'data', 'made-from')
const quarantineDirectory = (directory: string): string => join(directory, 'quarantine')

export interface OwnData {
  readonly info: DatasetInfo
  /** False if the data set of an earlier run could be kept. */
  readonly ingested: boolean
  readonly refusedLines: number
}

/**
 * Ingests the logs of the configuration unless the data set was made from these very files.
 * @throws config-invalid if no log is named; input-invalid; storage-full, with the older data set intact
 */
export async function ensureDataset(
  directory: string,
  { data }: OrganisationConfig,
  onProgress?: (rows: number) => void,
): Promise<OwnData> {
  const fingerprint = await fingerprintOf(data)
  const held = await heldDataset(directory, fingerprint)
  if (held !== undefined) return { info: held, ingested: false, refusedLines: refusedLinesOf(held) }
  await mkdir(join(directory, 'data'), { recursive: true })
  const { info, refusedLines } = await ingest({
    paths: data.paths,
    format: data.format,
    localNetworks: data.localNetworks,
    directory: datasetDirectory(directory),
    quarantineDirectory: quarantineDirectory(directory),
    ...(onProgress === undefined ? {} : { onProgress }),
  })
  await replaceFile(fingerprintFile(directory), fingerprint, 0o600)
  return { info, ingested: true, refusedLines }
}

/** Names everything that the data set depends on; labels and the cut are applied later, when rows are chosen. */
async function fingerprintOf(data: OrganisationConfig['data']): Promise<string> {
  const paths = (await Promise.all(data.paths.map(logsOf))).flat()
  const files = await Promise.all(paths.map(async (path) => ({ path, ...(await sizeAndTime(path)) })))
  return digestOf({ files, format: data.format, localNetworks: data.localNetworks, features: FEATURE_NAMES })
}

/** Of a directory every file below it: a log that grows does not change the directory. */
async function logsOf(path: string): Promise<readonly string[]> {
  try {
    return await filesOf(path)
  } catch (cause) {
    return unreadable(path, cause)
  }
}

function unreadable(path: string, cause: unknown): never {
  throw new EntenteError('input-invalid', `the log ${path} cannot be read: see data.paths in entente.yaml`, { cause })
}

async function sizeAndTime(path: string): Promise<{ size: number; modified: number }> {
  try {
    const { size, mtimeMs } = await stat(path)
    return { size, modified: mtimeMs }
  } catch (cause) {
    return unreadable(path, cause)
  }
}

async function heldDataset(directory: string, fingerprint: string): Promise<DatasetInfo | undefined> {
  const madeFrom = await readFile(fingerprintFile(directory), 'utf8').catch(() => undefined)
  if (madeFrom !== fingerprint) return undefined
  const info = await readFile(join(datasetDirectory(directory), DATASET_FILES.info), 'utf8').catch(() => undefined)
  return info === undefined ? undefined : decodeInfo(info)
}

function refusedLinesOf(info: DatasetInfo): number {
  return info.sources.flatMap((source) => Object.values(source.refused)).reduce((sum, count) => sum + count, 0)
}
