/**
 * Follows a log that grows, as `tail -F` does, and keeps its interactions as JSON lines. The log may be rotated by renaming
 * it or by copying and truncating it, and this program may be killed: every line that is in the file when it is read comes
 * out once, since output and offset are acknowledged together. What a writer adds between the last reading and the
 * truncation of copytruncate is lost to every reader (logrotate(8) says so too).
 */

import { join, resolve } from 'node:path'
import { fail } from '../../base/errors.ts'
import { detectFormat } from '../../telemetry/formats/detect.ts'
import { encodeInteraction } from '../../telemetry/formats/interaction-json.ts'
import type { LogFormat, Selection } from '../../telemetry/interaction.ts'
import { becomeOwner, giveUp } from '../storage/owner.ts'
import { fileAt, findBeside, GrowingFile } from './follow/growing-file.ts'
import { FOLLOW_FILES, type FollowOutput, type FollowState, loadState, openOutput } from './follow/state.ts'
import { type Wake, watchFile } from './follow/wake.ts'
import { createQuarantine } from './quarantine.ts'
import { SourceReader, type SourceReport, type Take } from './source.ts'

export interface FollowOptions {
  readonly path: string
  readonly format: LogFormat | 'auto'
  readonly selection: Selection
  /** Where output and offset are kept; without it the log is counted only, from its beginning. */
  readonly directory?: string
  /** Gets every interaction that is read, and may get it again after a crash. */
  readonly take?: Take
  /** Awaited after every batch of lines, before it is acknowledged. */
  readonly pause?: () => Promise<void>
  /** Before anything is read after a restart: where the interactions lie that were acknowledged before it. */
  readonly resumed?: (interactions: string) => Promise<void>
  /** Ends the following, after what was read is acknowledged. */
  readonly signal: AbortSignal
  /** Longest wait for a change that the operating system did not tell of. */
  readonly recheckMs?: number
}

export interface FollowReport extends SourceReport {
  /** Times that the log was replaced or cut. */
  readonly rotations: number
}

const RECHECK_MS = 5000
/** Read so much before it is made durable, while there is more. */
const BATCH_BYTES = 8 << 20

class Follower {
  private readonly options: FollowOptions
  private readonly path: string
  private readonly wake: Wake
  private readonly output: FollowOutput | undefined
  private state: FollowState | undefined
  private file: GrowingFile | undefined
  private reader: SourceReader | undefined
  private text = ''
  private unacknowledged = 0
  private rotations = 0

  constructor(options: FollowOptions, state: FollowState | undefined, output: FollowOutput | undefined) {
    this.options = options
    this.path = resolve(options.path)
    this.wake = watchFile(this.path, options.signal)
    this.state = state
    this.output = output
  }

  async run(): Promise<FollowReport> {
    const { signal, recheckMs = RECHECK_MS } = this.options
    try {
      await this.resume()
      while (!signal.aborted) {
        if (await this.step()) continue
        await this.wake.wait(recheckMs)
      }
      await this.commit()
      return this.report()
    } finally {
      this.wake.close()
      await this.file?.close()
      await this.output?.close()
    }
  }

  private report(): FollowReport {
    const { path, options, reader } = this
    const report =
      reader?.report ?? new SourceReader(path, this.formatNow(), createQuarantine(), options.selection).report
    return { ...report, rotations: this.rotations }
  }

  private formatNow(): LogFormat {
    const { format } = this.options
    return format === 'auto' ? (this.state?.format ?? 'interaction-json') : format
  }

  /** Opens the file that was read last, under the name that it has now. */
  private async resume(): Promise<void> {
    const { state, path } = this
    if (state === undefined) return
    this.makeReader(state.format)
    this.reader?.prime(state.preamble)
    const where = (await fileAt(path)) === state.file ? path : await findBeside(path, state.file)
    const file = where === undefined ? undefined : await GrowingFile.open(where)
    if (file === undefined) return this.rotated()
    if (await file.holds(state.offset, state.tail)) file.seek(state.offset, state.tail)
    else this.rotated()
    this.file = file
  }

  private rotated(): void {
    this.rotations++
  }

  private makeReader(format: LogFormat): void {
    // Its clock is the order of stamps from the first line on.
    if (format === 'darpa-csv') fail('invalid-request', 'DARPA-98 is no log that grows: ingest it without --follow')
    this.reader = new SourceReader(this.path, format, createQuarantine(), this.options.selection)
  }

  /** Takes what there is; false if there is nothing to do until the file changes. */
  private async step(): Promise<boolean> {
    this.file ??= await GrowingFile.open(this.path)
    const { file } = this
    if (file === undefined) return false
    if (!(await file.holdsWhatWasRead())) {
      this.rotated()
      file.seek(0, '')
    }
    const replaced = (await fileAt(this.path)) !== file.identity
    // Its last lines may have come before the new file did, but after the last reading: hence this order.
    const ended = await this.drain(file)
    await this.commit()
    if (!ended) return true
    if (!replaced || (await fileAt(this.path)) === undefined) return false
    await this.leave(file)
    return true
  }

  /** False if it stopped before the end, to make durable what it has. */
  private async drain(file: GrowingFile): Promise<boolean> {
    const begin = file.offset
    while (!this.options.signal.aborted) {
      const lines = await file.next()
      if (lines === undefined) return true
      await this.read(lines, false)
      if (file.offset - begin >= BATCH_BYTES) return false
    }
    return false
  }

  /** The file was renamed and a new one stands in its place: nobody will end its last line. */
  private async leave(file: GrowingFile): Promise<void> {
    const rest = await file.rest()
    if (rest !== undefined) await this.read([rest], true)
    await this.commit()
    await file.close()
    this.rotated()
    this.file = undefined
  }

  private async read(lines: readonly string[], unterminated: boolean): Promise<void> {
    if (this.reader === undefined) this.detect(lines)
    const take: Take = (interaction, line, log) => {
      if (this.output !== undefined) this.text += `${encodeInteraction(interaction)}\n`
      this.options.take?.(interaction, line, log)
    }
    for (const line of lines) this.reader?.read(line, unterminated, take)
    this.unacknowledged += lines.length
    await this.output?.append(this.text)
    this.text = ''
    await this.options.pause?.()
  }

  /** @throws input-invalid if the first lines are of no known format, or of a JSON array, which does not grow */
  private detect(lines: readonly string[]): void {
    const { format } = this.options
    const found = format === 'auto' ? detectFormat(lines) : format
    if (
      found === undefined ||
      lines
        .find((line) => line.trim() !== '')
        ?.trimStart()
        .startsWith('[') === true
    )
      fail('input-invalid', `${this.options.path} is in no format that can be followed`)
    this.makeReader(found)
  }

  private async commit(): Promise<void> {
    const { file, reader, output, path } = this
    if (file === undefined || reader === undefined || this.unacknowledged === 0) return
    const { format } = reader.account
    const lines = (this.state?.lines ?? 0) + reader.account.lines
    const place = { file: file.identity, offset: file.offset, tail: file.tail }
    await output?.commit({ version: 1, path, format, ...place, preamble: [...reader.preamble], lines })
    this.unacknowledged = 0
  }
}

/**
 * Follows until `signal` aborts.
 * @throws input-invalid for a log of no known format or a damaged offset file; invalid-request for DARPA-98;
 * already-exists if another process follows into the directory; storage-full, after which the same call goes on where the last acknowledged line ended
 */
export async function followLog(options: FollowOptions): Promise<FollowReport> {
  const { directory } = options
  if (directory === undefined) return new Follower(options, undefined, undefined).run()
  // Two readers would each take the other's lines for what was not acknowledged.
  if (!(await becomeOwner(directory))) fail('already-exists', `another process follows a log into ${directory}`)
  try {
    const state = await loadState(directory, resolve(options.path))
    const output = await openOutput(directory, state?.outputBytes ?? 0)
    if (state !== undefined) await options.resumed?.(join(directory, FOLLOW_FILES.output))
    return await new Follower(options, state, output).run()
  } finally {
    await giveUp(directory)
  }
}
