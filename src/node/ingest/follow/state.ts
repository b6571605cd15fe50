/** How far a followed log has been read: one small file, replaced as a whole after what was read is on the disk. */

import { mkdir, open, readFile, truncate } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { EntenteError, fail } from '../../../base/errors.ts'
import { LOG_FORMATS } from '../../../telemetry/interaction.ts'
import { replaceFile, syncDirectory } from '../../replace-file.ts'
import { diskError } from '../disk-error.ts'

export const FOLLOW_FILES = { state: 'follow.json', output: 'interactions.jsonl' } as const

const stateSchema = z.strictObject({
  version: z.literal(1),
  path: z.string(),
  format: z.enum(LOG_FORMATS),
  /** Device and inode of the file that was read last, in decimal. */
  file: z.string(),
  /** Bytes of it that were read: up to a line's end. */
  offset: z.int().nonnegative(),
  /** The last bytes before the offset, in base64: another file of that inode has others. */
  tail: z.string(),
  /** Header lines that the rest of the file needs. */
  preamble: z.array(z.string()),
  /** Length of the output that belongs to this state; what lies behind was not acknowledged. */
  outputBytes: z.int().nonnegative(),
  lines: z.int().nonnegative(),
})
export type FollowState = z.infer<typeof stateSchema>

/** @throws input-invalid if the file is damaged, or belongs to another log */
export async function loadState(directory: string, path: string): Promise<FollowState | undefined> {
  const text = await readFile(join(directory, FOLLOW_FILES.state), 'utf8').catch(absent)
  if (text === undefined) return undefined
  const state = stateSchema.safeParse(jsonOf(text)).data
  if (state === undefined) fail('input-invalid', `${FOLLOW_FILES.state} in ${directory} is damaged`)
  if (state.path === path) return state
  fail('input-invalid', `${directory} follows ${state.path} already: name another --out for ${path}`)
}

function absent(cause: unknown): undefined {
  if ((cause as { code?: unknown }).code === 'ENOENT') return undefined
  throw new EntenteError('input-invalid', `${FOLLOW_FILES.state} cannot be read`, { cause })
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Appends lines, and says what belongs together: after `commit` they are counted once, whatever happens. */
export interface FollowOutput {
  append(text: string): Promise<void>
  commit(state: Omit<FollowState, 'outputBytes'>): Promise<void>
  close(): Promise<void>
}

/** @throws storage-full */
export async function openOutput(directory: string, acknowledgedBytes: number): Promise<FollowOutput> {
  await mkdir(directory, { recursive: true }).catch(diskError)
  const path = join(directory, FOLLOW_FILES.output)
  const file = await open(path, 'a', 0o600).catch(diskError)
  await truncate(path, acknowledgedBytes)
  await syncDirectory(directory)
  await syncDirectory(dirname(directory))
  let outputBytes = acknowledgedBytes
  return {
    async append(text) {
      const bytes = Buffer.from(text, 'utf8')
      await file.writeFile(bytes).catch(diskError)
      outputBytes += bytes.length
    },
    async commit(state) {
      await file.datasync().catch(diskError)
      const content = `${JSON.stringify({ ...state, outputBytes })}\n`
      await replaceFile(join(directory, FOLLOW_FILES.state), content, 0o600).catch(diskError)
    },
    close: () => file.close(),
  }
}
