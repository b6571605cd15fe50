/**
 * `runtime.json` in a node's directory: how other commands on the same machine find the running process. It holds the
 * token of the control interface, so only the owner may read it.
 */

import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { fail } from '../base/errors.ts'
import { replaceFile } from './replace-file.ts'
import { isSameProcess, processIdentity, processIdentitySchema } from './process-identity.ts'

const runtimeSchema = z.object({
  process: processIdentitySchema,
  /** Base addresses by name, e.g. `api`, `control`. */
  urls: z.record(z.string(), z.string()),
  controlToken: z.string(),
})

export type Runtime = z.infer<typeof runtimeSchema>

const runtimePath = (directory: string) => join(directory, 'runtime.json')

/** Replaces the file as a whole: a reader sees the old one or the new one. */
export async function writeRuntimeFile(directory: string, runtime: Omit<Runtime, 'process'>): Promise<void> {
  await replaceFile(
    runtimePath(directory),
    `${JSON.stringify({ process: await processIdentity(process.pid), ...runtime }, null, 2)}\n`,
    0o600,
  )
}

/** The running process of this directory; undefined if none runs (a file left by a killed one does not count). */
export async function readRuntimeFile(directory: string): Promise<Runtime | undefined> {
  const text = await readFile(runtimePath(directory), 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  const runtime = parseRuntime(text, directory)
  return (await isSameProcess(runtime.process)) ? runtime : undefined
}

function parseRuntime(text: string, directory: string): Runtime {
  try {
    return runtimeSchema.parse(JSON.parse(text))
  } catch {
    fail(
      'config-invalid',
      `${runtimePath(directory)} is not the runtime file of a node: remove it if no node runs there`,
    )
  }
}

/** Removes the file if it is this process's own. */
export async function removeRuntimeFile(directory: string): Promise<void> {
  const runtime = await readRuntimeFile(directory)
  if (runtime?.process.pid === process.pid) await rm(runtimePath(directory), { force: true })
}
