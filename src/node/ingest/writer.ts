/** Writes a data set directory row by row, in bounded memory, and puts it in place only when it is whole. */

import { type FileHandle, mkdir, open, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  ATTACK,
  BENIGN,
  DATASET_FILES,
  type DatasetInfo,
  type DatasetSource,
  encodeInfo,
  encodeRow,
  SOURCE_EXTERNAL,
  STEALTHY,
  UNKNOWN,
} from '../../telemetry/dataset.ts'
import { createFeatureStream, FEATURE_NAMES, featureNames, type FeatureStream } from '../../telemetry/features.ts'
import type { Interaction } from '../../telemetry/interaction.ts'
import { isFlood } from '../../telemetry/labels.ts'
import { localMatcher } from '../../telemetry/networks.ts'
import { Blocks } from './blocks.ts'
import { diskError } from './disk-error.ts'

/** u16 index, 0 = none. */
const TECHNIQUES_MAX = 65535

export interface WriterOptions {
  readonly localNetworks: readonly string[]
  readonly identity?: boolean
}

export class DatasetWriter {
  private readonly directory: string
  private readonly temporary: string
  private readonly features: FileHandle
  private readonly rows: FileHandle
  private readonly stream: FeatureStream
  private readonly blocks: Blocks
  private readonly isLocal: (address: string) => boolean
  private readonly options: WriterOptions
  private readonly hosts = new Map<string, number>()
  private readonly external: boolean[] = []
  private readonly techniques = new Map<string, number>([['', 0]])
  private readonly techniqueRows = new Map<string, number>()
  private readonly labels = { benign: 0, attack: 0, unknown: 0, stealthy: 0 }
  private written = 0
  private timeFirst = Number.POSITIVE_INFINITY
  private timeLast = Number.NEGATIVE_INFINITY

  private constructor(
    directory: string,
    temporary: string,
    files: readonly [FileHandle, FileHandle],
    options: WriterOptions,
  ) {
    this.directory = directory
    this.temporary = temporary
    this.features = files[0]
    this.rows = files[1]
    this.options = options
    this.stream = createFeatureStream(options)
    this.blocks = new Blocks(this.stream.width)
    this.isLocal = localMatcher(options.localNetworks)
  }

  /** @throws storage-full */
  static async create(directory: string, options: WriterOptions): Promise<DatasetWriter> {
    const temporary = `${directory}.partial`
    try {
      await rm(temporary, { recursive: true, force: true })
      await mkdir(temporary, { recursive: true })
      const features = await open(join(temporary, DATASET_FILES.features), 'w')
      const rows = await open(join(temporary, DATASET_FILES.rows), 'w')
      return new DatasetWriter(directory, temporary, [features, rows], options)
    } catch (cause) {
      return diskError(cause)
    }
  }

  add(interaction: Interaction, line: number): void {
    const { blocks } = this
    blocks.reserve()
    this.stream.push(interaction, blocks.features, blocks.rows * this.stream.width)
    encodeRow(blocks.records, blocks.rows, { ...this.record(interaction), line })
    blocks.rows++
    this.timeFirst = Math.min(this.timeFirst, interaction.time)
    this.timeLast = Math.max(this.timeLast, interaction.time)
  }

  private record(interaction: Interaction) {
    const { time, source, destination, label } = interaction
    const sourceId = this.hostId(source)
    const stealthy = label === 'attack' && !isFlood(interaction.technique ?? '')
    if (label === undefined) this.labels.unknown++
    else this.labels[label]++
    if (stealthy) this.labels.stealthy++
    return {
      time,
      sourceId,
      destinationId: this.hostId(destination),
      minute: Math.floor(time / 60),
      technique: label === 'attack' ? this.techniqueId(interaction.technique ?? '') : 0,
      label: label === 'benign' ? BENIGN : label === 'attack' ? ATTACK : UNKNOWN,
      flags: (stealthy ? STEALTHY : 0) | (this.external[sourceId] === true ? SOURCE_EXTERNAL : 0),
    }
  }

  private hostId(address: string): number {
    const known = this.hosts.get(address)
    if (known !== undefined) return known
    const id = this.hosts.size
    this.hosts.set(address, id)
    this.external.push(!this.isLocal(address))
    return id
  }

  private techniqueId(name: string): number {
    this.techniqueRows.set(name, (this.techniqueRows.get(name) ?? 0) + 1)
    const known = this.techniques.get(name)
    if (known !== undefined) return known
    // Alert names come from logs: beyond the range of the index, new ones share the nameless one.
    if (this.techniques.size > TECHNIQUES_MAX) return 0
    this.techniques.set(name, this.techniques.size)
    return this.techniques.size - 1
  }

  /** Moves what was gathered to the files. @throws storage-full */
  async flush(): Promise<void> {
    if (this.blocks.rows === 0) return
    try {
      await this.features.writeFile(this.blocks.featureBytes())
      await this.rows.writeFile(this.blocks.recordBytes())
    } catch (cause) {
      diskError(cause)
    }
    this.written += this.blocks.rows
    this.blocks.rows = 0
  }

  /** Completes the directory and puts it in place of an older one. @throws storage-full */
  async finish(sources: readonly DatasetSource[]): Promise<DatasetInfo> {
    await this.flush()
    const info = this.info(sources)
    try {
      await this.features.sync()
      await this.rows.sync()
      await this.close()
      await writeFile(join(this.temporary, DATASET_FILES.hosts), [...this.hosts.keys(), ''].join('\n'))
      await writeFile(join(this.temporary, DATASET_FILES.info), encodeInfo(info))
      await rm(this.directory, { recursive: true, force: true })
      await rename(this.temporary, this.directory)
    } catch (cause) {
      diskError(cause)
    }
    return info
  }

  private info(sources: readonly DatasetSource[]): DatasetInfo {
    const identity = this.options.identity === true
    return {
      version: 1,
      rows: this.written,
      featureNames: [...(identity ? featureNames({ identity }) : FEATURE_NAMES)],
      techniques: [...this.techniques.keys()],
      hosts: this.hosts.size,
      labels: { ...this.labels },
      techniqueRows: Object.fromEntries([...this.techniqueRows].sort(([a], [b]) => (a < b ? -1 : 1))),
      timeFirst: this.written === 0 ? null : this.timeFirst,
      timeLast: this.written === 0 ? null : this.timeLast,
      localNetworks: [...this.options.localNetworks],
      sources: [...sources],
    }
  }

  private async close(): Promise<void> {
    await this.features.close()
    await this.rows.close()
  }

  /** Leaves nothing behind. */
  async abort(): Promise<void> {
    await this.close().catch(() => {})
    await rm(this.temporary, { recursive: true, force: true })
  }
}
