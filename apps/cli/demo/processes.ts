/** The demo's child processes: started with their output in a log file, awaited by their own word, stopped by process id. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { EntenteError, fail } from '../../../src/base/errors.ts'

const MAIN = fileURLToPath(new URL('../../main.ts', import.meta.url))

/**
 * V8's young generation at its default of 16 MB a semi-space costs each of these small processes some 40 MB; the training
 * matrices live outside the V8 heap.
 */
const NODE_FLAGS = ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=4', '--optimize-for-size']

export interface RunningProcess {
  readonly name: string
  readonly pid: number
  /** What the process said when it was ready. */
  readonly ready: Readonly<Record<string, unknown>>
  /** Resolves when it is gone. */
  stop(): Promise<void>
}

function entente(args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [...NODE_FLAGS, MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
}

/** Starts `entente ARGS` and resolves when it prints a JSON line with `"event":"ready"`. */
export async function startProcess(name: string, args: readonly string[], logFile: string): Promise<RunningProcess> {
  const child = entente(args)
  const log = createWriteStream(logFile, { flags: 'a' })
  child.stderr?.pipe(log, { end: false })
  const exited = once(child, 'exit')
  const ready = await firstReadyLine(name, child, log, logFile)
  async function stop(): Promise<void> {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM')
      await exited
    }
    log.end()
  }
  return { name, pid: child.pid ?? fail('internal', `${name} has no process id`), ready, stop }
}

function firstReadyLine(
  name: string,
  child: ChildProcess,
  log: NodeJS.WritableStream,
  logFile: string,
): Promise<Record<string, unknown>> {
  return new Promise((resolve, reject) => {
    if (child.stdout === null) return reject(new EntenteError('internal', `${name} has no standard output`))
    createInterface({ input: child.stdout }).on('line', (line) => {
      log.write(`${line}\n`)
      if (!line.startsWith('{')) return
      const message = JSON.parse(line) as Record<string, unknown>
      if (message['event'] === 'ready') resolve(message)
    })
    child.once('error', reject)
    child.once('exit', (code, signal) =>
      reject(new EntenteError('unavailable', `${name} ended (${signal ?? code}) before it was ready; see ${logFile}`)),
    )
  })
}

/** Runs `entente ARGS` to its end; standard output parsed as JSON. @throws with the program's own words if it fails. */
export async function runJson(args: readonly string[]): Promise<unknown> {
  const { code, stdout, stderr } = await runToEnd(args)
  if (code !== 0) fail('internal', `entente ${args.join(' ')} ended with ${code}: ${stderr.trim()}`)
  return JSON.parse(stdout)
}

/** Runs `entente ARGS` to its end, whatever its exit code. */
export async function runToEnd(args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const child = entente(args)
  let stdout = ''
  let stderr = ''
  child.stdout?.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code: code ?? 1, stdout, stderr }
}
