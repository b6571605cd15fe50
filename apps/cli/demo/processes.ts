/**
 * The child processes of a federation on one machine: started with their output in a log file, awaited by their own word,
 * stopped by process id. A group knows its children from the moment they are spawned, so that none outlives it, however
 * early its end comes.
 */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { NODE_FLAGS } from '../../../bin/flags.mjs'
import { EntenteError, fail } from '../../../src/base/errors.ts'

const MAIN = fileURLToPath(new URL('../../main.ts', import.meta.url))

/** A child that does not end by then is killed: its state is safe by design. */
const STOP_MS_MAX = 20_000

export interface Finished {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface RunningProcess {
  readonly name: string
  readonly pid: number
  /** What the process said when it was ready. */
  readonly ready: Readonly<Record<string, unknown>>
  /** Resolves to the exit code or the signal when it is gone. */
  readonly exited: Promise<number | NodeJS.Signals>
  /** Resolves when it is gone. */
  stop(): Promise<void>
  /** No goodbye. Resolves when it is gone. */
  kill(): Promise<void>
}

export interface ProcessGroup {
  /** Starts `entente ARGS`, or another program, and resolves when it prints a JSON line with `"event":"ready"`. */
  start(name: string, args: readonly string[], logFile: string, program?: string): Promise<RunningProcess>
  /** Runs `entente ARGS` to its end, whatever its exit code. */
  run(args: readonly string[]): Promise<Finished>
  /** Runs `entente ARGS` to its end; standard output parsed as JSON. @throws with the program's own words if it fails. */
  runJson(args: readonly string[]): Promise<unknown>
  /** Ends every child, those too that are still starting, and refuses new ones. */
  stop(): Promise<void>
  /** The last resort, when this process is exiting and cannot wait. */
  killNow(): void
}

export function createProcessGroup(): ProcessGroup {
  const living = new Set<ChildProcess>()
  let stopping = false

  function entente(args: readonly string[], program = MAIN): ChildProcess {
    if (stopping) fail('unavailable', 'the federation is being stopped')
    const child = spawn(process.execPath, [...NODE_FLAGS, program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    living.add(child)
    child.once('exit', () => living.delete(child)).once('error', () => living.delete(child))
    return child
  }

  async function run(args: readonly string[]): Promise<Finished> {
    const child = entente(args)
    let stdout = ''
    let stderr = ''
    child.stdout?.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
    child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
    const [code] = (await once(child, 'close')) as [number | null]
    return { code: code ?? 1, stdout, stderr }
  }

  return {
    start: (name, args, logFile, program) => startChild(name, entente(args, program), logFile),
    run,
    async runJson(args) {
      const { code, stdout, stderr } = await run(args)
      if (code !== 0) fail('internal', `entente ${args.join(' ')} ended with ${code}: ${stderr.trim()}`)
      return JSON.parse(stdout)
    },
    async stop() {
      stopping = true
      await Promise.all([...living].map(end))
    },
    killNow() {
      for (const child of living) child.kill('SIGKILL')
    },
  }
}

async function startChild(name: string, child: ChildProcess, logFile: string): Promise<RunningProcess> {
  const log = createWriteStream(logFile, { flags: 'a' })
  child.stderr?.pipe(log, { end: false })
  const exited = exitOf(child)
  void exited.then(() => log.end())
  const ready = await firstReadyLine(name, child, log, logFile)
  return {
    name,
    pid: child.pid ?? fail('internal', `${name} has no process id`),
    ready,
    exited,
    stop: () => end(child),
    async kill() {
      child.kill('SIGKILL')
      await exited
    },
  }
}

/** After the pipes are read to their end, so that the log is whole. */
function exitOf(child: ChildProcess): Promise<number | NodeJS.Signals> {
  return new Promise((resolve) => child.once('close', (code, signal) => resolve(signal ?? code ?? 1)))
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX)
  child.kill('SIGTERM')
  await exited
  clearTimeout(timer)
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
