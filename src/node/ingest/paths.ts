/** Which logs the paths of a command or a configuration name: files, directories with all below them, zips. */

import { readdir, stat } from 'node:fs/promises'
import { basename, join, relative } from 'node:path'
import { cannotRead, zipEntries } from './open.ts'

/** One log: a file, or an entry of a zip. */
export interface LogFile {
  readonly path: string
  /** Present for a zip of several logs. */
  readonly entry?: string
  /** What reports call it. */
  readonly name: string
  /** True if it was named itself, so that it must be a log; others may lie beside logs. */
  readonly named: boolean
}

/** Files below a directory, sorted by path; links to directories are not followed, since they may lead in circles. */
async function filesBelow(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  const files: string[] = []
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name)
    const target = entry.isSymbolicLink() ? await stat(path).catch(() => undefined) : entry
    if (target?.isFile() === true) files.push(path)
  }
  return files.sort()
}

/** The file, or all files below the directory. @throws input-invalid if the path cannot be read */
export async function filesOf(path: string): Promise<readonly string[]> {
  const found = await stat(path).catch((cause: unknown) => cannotRead(path, cause))
  return found.isDirectory() ? filesBelow(path) : [path]
}

async function logsIn(path: string, name: string, named: boolean): Promise<LogFile[]> {
  const entries = await zipEntries(path)
  if (entries === undefined || entries.length <= 1) return [{ path, name, named }]
  return entries.map((entry) => ({ path, entry, name: `${name}:${entry}`, named: false }))
}

/** @throws input-invalid if a path cannot be read */
export async function findLogs(paths: readonly string[]): Promise<readonly LogFile[]> {
  const found: LogFile[] = []
  for (const path of paths) {
    const isDirectory = (await stat(path).catch((cause: unknown) => cannotRead(path, cause))).isDirectory()
    if (!isDirectory) found.push(...(await logsIn(path, basename(path), true)))
    else for (const file of await filesBelow(path)) found.push(...(await logsIn(file, relative(path, file), false)))
  }
  return found
}
